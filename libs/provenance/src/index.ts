export * from './anchor-signature.js';
export * from './canonical-json.js';
export * from './digest.js';
export * from './fleet-ids.js';
export * from './sample-signature.js';
export * from './sealed-result.js';
