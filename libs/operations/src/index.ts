export { OperationsModule, DeploymentMetricsModule } from './operations.module.js';
export { HttpTiming } from './http-timing.js';
export { createRegistry } from './registry.js';
export { StoreHandle } from './store-handle.js';
export { DeploymentSettings } from './deployment-metrics.js';
