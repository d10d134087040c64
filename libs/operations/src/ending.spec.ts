import { endWith } from './ending.js';

const { jest } = import.meta;

/** How the process would have ended, in order. */
let exits: unknown[];
let errors: unknown[];
beforeEach(() => {
  // The time limit in `endWith` calls the real process.exit, so it must not outlive its test.
  jest.useFakeTimers();
  exits = [];
  errors = [];
  jest.spyOn(process, 'exit').mockImplementation((code) => exits.push(code) as never);
  jest.spyOn(console, 'error').mockImplementation((text) => errors.push(text));
});
afterEach(() => {
  jest.useRealTimers();
  jest.restoreAllMocks();
});

it('a process closes once, and exits with 0 when all is closed', async () => {
  let closings = 0;
  let closed = (): void => undefined;
  const stop = endWith(() => {
    closings += 1;
    return new Promise<void>((resolve) => (closed = resolve));
  });
  stop();
  stop();
  await jest.advanceTimersByTimeAsync(0);
  expect(exits).toEqual([]);
  closed();
  await jest.advanceTimersByTimeAsync(0);
  expect(closings).toBe(1);
  expect(exits).toEqual([0]);
  expect(errors).toEqual([]);
});

it('a process exits with 1 and the reason when closing fails', async () => {
  endWith(() => Promise.reject(new Error('the log cannot be written')))();
  await jest.advanceTimersByTimeAsync(0);
  expect(exits).toEqual([1]);
  expect(errors).toEqual([expect.stringContaining('the log cannot be written')]);
});

it('a process exits with 0 after the time limit when a part cannot be closed', async () => {
  endWith(() => new Promise(() => undefined))();
  await jest.advanceTimersByTimeAsync(4_999);
  expect(exits).toEqual([]);
  await jest.advanceTimersByTimeAsync(1);
  expect(exits).toEqual([0]);
  expect(errors).toEqual(['Redis or the store does not answer: ending without closing them, after 5 s.']);
});
