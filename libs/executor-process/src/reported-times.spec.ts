import { ReportedTimes } from './reported-times.js';

/** A clock that only requests advance, and a program that reports the time of each request by a law. */
function program(reportOf: (passedMs: number) => number) {
  let nowMs = 0;
  const times = new ReportedTimes(() => nowMs);
  return (passedMs: number) =>
    times.checked(1, () => {
      nowMs += passedMs;
      return Promise.resolve(reportOf(passedMs));
    });
}

describe('times that a program reports', () => {
  it('are accepted up to the wall time of the request, and also as 0', async () => {
    const ask = program((passedMs) => passedMs);
    expect([await ask(0.01), await ask(5), await ask(300)]).toEqual([0.01, 5, 300]);
    expect(await program(() => 0)(5)).toBe(0);
  });

  it.each([
    ['microseconds', 1000],
    ['nanoseconds', 1e6],
    ['twice the time', 2],
  ])('are refused when they are %s', async (_unit, factor) => {
    const ask = program((passedMs) => passedMs * factor);
    const asked = async () => {
      for (let batch = 0; batch < 20; batch++) await ask(1.5);
    };
    await expect(asked()).rejects.toMatchObject({
      code: 'invalid-time',
      message: expect.stringMatching(/but the whole request took 1\.50 ms: are these milliseconds\?/),
    });
  });

  it('may come from a timer that counts in steps of 15.6 ms', async () => {
    let passed = 0;
    const ask = program((passedMs) => {
      const before = Math.floor(passed / 15.6);
      passed += passedMs;
      return 15.6 * (Math.floor(passed / 15.6) - before);
    });
    for (let batch = 0; batch < 100; batch++) expect(await ask(4)).toBeGreaterThanOrEqual(0);
  });
});
