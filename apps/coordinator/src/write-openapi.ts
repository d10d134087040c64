import { writeFile } from 'node:fs/promises';
import { readConfig } from '@alphaflops/config';
import type { QueueConnection } from '@alphaflops/queue';
import type { Stores } from '@alphaflops/store';
import { createApp } from './create-app.js';
import { describeApi } from './openapi.js';

/** Writes the API's description to the given file. It opens no store and no queue, because the modules are enough. */
const unused = {} as unknown;
const app = await createApp({
  config: readConfig({ ALPHAFLOPS_LOG_LEVEL: 'error' }),
  stores: unused as Stores,
  queue: unused as QueueConnection,
});
const [, , file] = process.argv;
if (file === undefined) throw new Error('usage: write-openapi FILE');
await writeFile(file, `${JSON.stringify(await describeApi(app), null, 2)}\n`);
