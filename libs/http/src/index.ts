export { adminsOnly } from './admins-only.js';
export * from './answer.js';
export { AllowAccess, type Access } from './access.js';
export * from './http.module.js';
export * from './problem.js';
export { ProcessLog } from './process-log.js';
export * from './request.js';
export * from './request-id.js';
export * from './secrets.js';
