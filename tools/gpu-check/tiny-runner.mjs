// A small test runner for the conformance suite of the executors, because a full test runner would be too large to
// pack.
import { setTimeout } from 'node:timers/promises';
import { expect } from 'expect';

let suite = null;

const register = (title, test, timeoutMs = 60_000) => suite.tests.push({ title, test, timeoutMs });
const it = Object.assign(register, {
  each: (rows) => (title, test) => {
    for (const row of rows) {
      const values = Array.isArray(row) ? row : [row];
      register(`${title} ${JSON.stringify(row)}`, () => test(...values));
    }
  },
});
Object.assign(globalThis, {
  expect,
  it,
  beforeAll: (hook) => suite.before.push(hook),
  afterAll: (hook) => suite.after.push(hook),
});

/** Runs the tests that `define` registers; returns how many passed and what failed. */
export async function runSuite(define) {
  suite = { tests: [], before: [], after: [] };
  define();
  const { tests, before, after } = suite;
  const failures = [];
  for (const hook of before) await hook();
  for (const { title, test, timeoutMs } of tests) {
    try {
      await Promise.race([test(), late(timeoutMs)]);
    } catch (error) {
      failures.push({ title, message: String(error?.message ?? error).slice(0, 600) });
    }
  }
  for (const hook of after) await hook();
  return { passed: tests.length - failures.length, failures };
}

async function late(ms) {
  await setTimeout(ms, undefined, { ref: false });
  throw new Error(`longer than ${ms} ms`);
}
