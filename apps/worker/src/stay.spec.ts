// eslint-disable-next-line @nx/enforce-module-boundaries -- the test runner's own module, which has no place in this manifest
import { jest } from '@jest/globals';
import { Stay } from './stay.js';

const FOREVER = { once: false, forMs: null, untilIdleMs: null };

beforeEach(() => {
  jest.useFakeTimers();
});
afterEach(() => {
  jest.useRealTimers();
});

describe('a stay', () => {
  it('has no end by default', () => {
    const stay = new Stay(FOREVER);
    stay.begin(() => false);
    stay.batchDone();
    jest.advanceTimersByTime(1e9);
    expect(stay.over.aborted).toBe(false);
  });

  it('ends after one batch', () => {
    const stay = new Stay({ ...FOREVER, once: true });
    stay.begin(() => true);
    expect(stay.over.aborted).toBe(false);
    stay.batchDone();
    expect(stay.over.reason).toMatch(/--once/);
  });

  it('ends after a time, also during a measurement', () => {
    const stay = new Stay({ ...FOREVER, forMs: 5_000 });
    stay.begin(() => true);
    jest.advanceTimersByTime(4_999);
    expect(stay.over.aborted).toBe(false);
    jest.advanceTimersByTime(1);
    expect(stay.over.reason).toMatch(/--for/);
  });

  it('ends when there was no work for a time, counted from the last work', () => {
    let isMeasuring = false;
    const stay = new Stay({ ...FOREVER, untilIdleMs: 3_000 });
    stay.begin(() => isMeasuring);
    jest.advanceTimersByTime(2_000);
    isMeasuring = true;
    jest.advanceTimersByTime(60_000);
    isMeasuring = false;
    jest.advanceTimersByTime(2_500);
    expect(stay.over.aborted).toBe(false);
    stay.batchDone();
    jest.advanceTimersByTime(2_500);
    expect(stay.over.aborted).toBe(false);
    jest.advanceTimersByTime(1_000);
    expect(stay.over.reason).toMatch(/--until-idle/);
  });

  it('closes without an end', () => {
    const stay = new Stay({ ...FOREVER, forMs: 5_000 });
    stay.begin(() => false);
    stay.close();
    jest.advanceTimersByTime(10_000);
    expect(stay.over.aborted).toBe(false);
  });
});
