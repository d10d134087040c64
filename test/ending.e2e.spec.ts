import { once } from 'node:events';
import type { ChildProcess } from 'node:child_process';
import { Stack } from './support/stack.js';

/** Closing takes at most 5 s. The rest is a margin for a busy machine. */
const WITHIN_MS = 10_000;

async function endsWithinMs(child: ChildProcess, end: () => void): Promise<number> {
  const beganMs = performance.now();
  const gone = once(child, 'exit');
  end();
  await gone;
  return performance.now() - beganMs;
}

/** A Redis that was killed needs nothing. */
function resume(pid: number): void {
  try {
    process.kill(pid, 'SIGCONT');
  } catch {
    // It is gone.
  }
}

describe('coordinator and fitter end, also without Redis or the store', () => {
  let stack: Stack;
  beforeEach(async () => {
    stack = await Stack.start({ ROLES: 'api,record' });
  }, 60_000);
  afterEach(() => stack.stop(), 60_000);

  const losses = [
    ['Redis answers', () => undefined],
    ['Redis is gone', () => process.kill(stack.redis.pid, 'SIGKILL')],
    ['Redis says nothing', () => process.kill(stack.redis.pid, 'SIGSTOP')],
  ] as const;

  it.each(losses)(
    'on SIGTERM while %s',
    async (_what, lose) => {
      const { running: fitter } = await stack.launchFitter({
        ALPHAFLOPS_DATA_DIR: `${stack.directory}/fitter`,
      });
      lose();
      try {
        const coordinator = stack.coordinatorProcess;
        expect(await endsWithinMs(coordinator, () => coordinator.kill('SIGTERM'))).toBeLessThan(WITHIN_MS);
        expect(await endsWithinMs(fitter.child, () => fitter.child.kill('SIGTERM'))).toBeLessThan(WITHIN_MS);
        expect([coordinator.exitCode, fitter.child.exitCode]).toEqual([0, 0]);
      } finally {
        resume(stack.redis.pid);
      }
    },
    60_000,
  );

  it.each(losses)(
    'when its parent is gone while %s',
    async (_what, lose) => {
      lose();
      try {
        const coordinator = stack.coordinatorProcess;
        expect(
          await endsWithinMs(coordinator, () => {
            coordinator.disconnect();
          }),
        ).toBeLessThan(WITHIN_MS);
      } finally {
        resume(stack.redis.pid);
      }
    },
    60_000,
  );
});
