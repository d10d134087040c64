export { OperationsModule, DeploymentModule } from './operations.module.js';
export { HttpTiming } from './http-timing.js';
export { processProviders } from './process-providers.js';
export { DeploymentSettings } from './deployment-metrics.js';
export { type ProcessParts, type RunningProcess, runProcess } from './run-process.js';
