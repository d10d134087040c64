import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

/** Environment in which a worker knows the executors `fake`, `fake-gpu` and `fake-one`. */
export const TEST_DOUBLES = {
  ALPHAFLOPS_TEST_ADAPTER: pathToFileURL(resolve(import.meta.dirname, '../../libs/executor/dist/testing.js'))
    .href,
};
