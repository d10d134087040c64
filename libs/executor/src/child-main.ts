/**
 * Entry point of the executor's process: `child-main.js REFERENCE`, forked by ExecutorHost with an IPC channel.
 * It ends when the channel closes, and does not outlive its parent even if a convolution never returns.
 */
import { Worker } from 'node:worker_threads';
import type { ExecutorReference } from './adapter-module.js';
import { ChildService } from './child-service.js';

const [reference] = process.argv.slice(2);
if (reference === undefined || process.send === undefined) {
  process.stderr.write(
    'child-main is forked by ExecutorHost, with an ExecutorReference as JSON in its argument\n',
  );
  process.exit(2);
}

// Ctrl-C in a terminal, or a supervisor's stop, reaches the whole process group. Only the parent reacts to it.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => undefined);

new Worker(new URL('./parent-watch.js', import.meta.url), { workerData: process.ppid }).unref();

const service = new ChildService(JSON.parse(reference) as ExecutorReference);
// Requests run one after another. A reply is sent before the next request starts, because that request may end the process.
let answered: Promise<unknown> = Promise.resolve();
process.on('message', (message) => {
  answered = answered
    .then(() => service.answer(message))
    .then((reply) => new Promise((sent) => process.send?.(reply, sent)));
});
process.on('disconnect', () => {
  void service.dispose().finally(() => process.exit(0));
});
