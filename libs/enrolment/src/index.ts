export * from './enrolment.module.js';
export * from './enrolment-settings.js';
export { TokensService } from './tokens.service.js';
export * from './worker-bundles.js';
