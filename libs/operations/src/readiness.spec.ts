import type { Health } from '@alphaflops/contracts';
import { readiness } from './readiness.js';

const { jest } = import.meta;

const works = () => Promise.resolve();

describe('readiness', () => {
  it('is ok when all parts answer', async () => {
    const health = await readiness({ store: works, queue: works });
    expect(health).toEqual({ status: 'ok', checks: { store: 'ok', queue: 'ok' } });
  });

  it('is unavailable with the message of the part that refuses, and states the other parts too', async () => {
    const refuses = () => Promise.reject(new Error('OOM command not allowed'));
    expect(await readiness({ store: works, queue: refuses })).toEqual({
      ...{ status: 'unavailable', checks: { store: 'ok', queue: 'OOM command not allowed' } },
    });
  });

  it('is unavailable when parts do not answer, after 2 s for all parts together', async () => {
    jest.useFakeTimers();
    try {
      const isSilent = () => new Promise<void>(() => undefined);
      const answers: Health[] = [];
      void readiness({ store: isSilent, queue: isSilent, other: works }).then((health) =>
        answers.push(health),
      );
      await jest.advanceTimersByTimeAsync(1_999);
      expect(answers).toEqual([]);
      await jest.advanceTimersByTimeAsync(1);
      const checks = { store: 'no answer', queue: 'no answer', other: 'ok' };
      expect(answers).toEqual([{ status: 'unavailable', checks }]);
    } finally {
      jest.useRealTimers();
    }
  });
});
