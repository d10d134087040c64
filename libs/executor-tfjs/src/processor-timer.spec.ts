import { TIMER } from './processor-timer.js';

function spin(wallMs: number): void {
  const endMs = performance.now() + wallMs;
  while (performance.now() < endMs);
}

it('counts computation, and no waits', () => {
  const computing = TIMER.timeMs(() => {
    spin(30);
  });
  expect(computing).toBeGreaterThan(1);
  const waiting = TIMER.timeMs(() => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 30));
  expect(waiting).toBeLessThan(TIMER.name === 'wall clock' ? 100 : computing / 2);
  expect(TIMER.timeMs(() => undefined)).toBeGreaterThan(0);
});
