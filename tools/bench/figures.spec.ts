import type { Row } from './benchmark.js';
import { interleave, judge, median, quantile } from './figures.js';
import { section, withSection } from './results.js';

const row: Row = {
  what: 'a thing',
  comparedWith: 'another',
  unit: 's',
  ours: [1, 2, 9],
  theirs: [1, 1, 3],
  judge: 'ratio',
  must: 3,
  goal: 1.5,
};

it('computes median and quantile from the sorted values', () => {
  expect(median([9, 1, 5])).toBe(5);
  expect(median([9, 1, 5, 7])).toBe(6);
  expect(quantile([3, 1, 2, 4], 0.5)).toBe(2);
  expect(quantile([3, 1, 2, 4], 0.99)).toBe(4);
});

it('alternates which side runs first', async () => {
  const order: string[] = [];
  const side = (name: string) => (round: number) => {
    order.push(`${name}${round}`);
    return Promise.resolve(round);
  };
  const figures = await interleave(3, { ours: side('a'), theirs: side('b') });
  expect(order).toEqual(['a0', 'b0', 'b1', 'a1', 'a2', 'b2']);
  expect(figures).toEqual({ ours: [0, 1, 2], theirs: [0, 1, 2] });
});

it('judges the median of the ratios or differences of the rounds', () => {
  expect(judge(row)).toEqual({ value: 2, range: [1, 3], verdict: 'must' });
  expect(judge({ ...row, judge: 'difference' })).toEqual({ value: 1, range: [0, 6], verdict: 'goal' });
  expect(judge({ ...row, judge: 'ours', must: 1, goal: null })).toMatchObject({
    value: 2,
    verdict: 'missed',
  });
});

it('replaces the section of the page and keeps the text around it', () => {
  const result = {
    rows: [row],
    date: '2026-01-02',
    machine: 'M',
    versions: 'V',
    load: [0.5, 1] as [number, number],
  };
  const text = section({ one: result });
  expect(text).toContain(
    '| `one` | a thing | another | 2 s | 1 s | 2 × (1–3) | ≤ 3 × | ≤ 1.5 × | must | 2026-01-02, load 0.5–1 |',
  );
  const once = withSection('# Benchmarks\n\nBefore.\n', text);
  const twice = withSection(`${once}\nAfter.\n`, section({ other: result }));
  expect(twice).toMatch(/^# Benchmarks\n\nBefore\.\n[^]*`other`[^]*\nAfter\.\n$/);
  expect(twice).not.toContain('`one`');
});
