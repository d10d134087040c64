// store-lock.mjs FILE MS: holds the write lock of an SQLite file for MS milliseconds, like another program with an
// endless write.
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';

const [file, ms] = process.argv.slice(2);
const package_ = join(import.meta.dirname, '../../libs/store-sqlite/package.json');
const Database = createRequire(package_)('libsql');
const database = new Database(file, { timeout: 10_000 });
database.exec('BEGIN IMMEDIATE');
await setTimeout(Number(ms));
database.exec('ROLLBACK');
