/** Runs in a thread of the executor's process, because a convolution that hangs also blocks `disconnect` events. */
import { workerData } from 'node:worker_threads';

const INTERVAL_MS = 1000;

setInterval(() => {
  if (process.ppid !== workerData) process.kill(process.pid, 'SIGKILL');
}, INTERVAL_MS);
