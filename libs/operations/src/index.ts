export { OperationsModule, DeploymentMetricsModule } from './operations.module.js';
export { HttpTiming } from './http-timing.js';
export { processProviders } from './process-providers.js';
export { DeploymentSettings } from './deployment-metrics.js';
export { endWith } from './ending.js';
