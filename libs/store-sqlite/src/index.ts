export { FileLock } from './file-lock.js';
export { openSqliteStores } from './open.js';
export { copySqliteStore } from './copy.js';
