export { openMongoStores, type MongoOptions, type MongoStores } from './open.js';
export type { Abilities } from './abilities.js';
