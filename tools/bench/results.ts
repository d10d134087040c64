import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';
import { resolve } from 'node:path';
import { format, resolveConfig } from 'prettier';
import type { Row } from './benchmark.js';
import { judge, median } from './figures.js';

const ROOT = resolve(import.meta.dirname, '../..');
const RESULTS = resolve(import.meta.dirname, 'results.json');
const PAGE = resolve(ROOT, 'docs/benchmarks.md');
const [BEGIN, END] = ['<!-- system: written by npm run bench -->', '<!-- system: end -->'];

/** The last result of a benchmark. */
export interface Result {
  rows: Row[];
  date: string;
  machine: string;
  versions: string;
  /** Load average over the minute before the benchmark, and over its last minute, including other processes. */
  load: [number, number];
}

/** @param loadBefore load average over the minute before the benchmark */
export function resultOf(rows: Row[], loadBefore: number): Result {
  const version = (file: string) =>
    (JSON.parse(readFileSync(resolve(ROOT, file), 'utf8')) as { version: string }).version;
  return {
    rows,
    date: new Date().toISOString().slice(0, 10),
    machine: `${cpus()[0]?.model.trim() ?? 'unknown processor'} (${cpus().length} processors, shared with other work)`,
    versions: `Node ${process.versions.node}, alphaflops ${version('package.json')}`,
    load: [loadBefore, loadavg()[0] ?? 0],
  };
}

/** Stores a result and writes the table of all stored results into docs/benchmarks.md. */
export async function keep(name: string, result: Result, order: readonly string[]): Promise<void> {
  const kept = existsSync(RESULTS)
    ? (JSON.parse(readFileSync(RESULTS, 'utf8')) as Record<string, Result>)
    : {};
  kept[name] = result;
  const ordered = Object.fromEntries(
    order.flatMap((known) => (kept[known] === undefined ? [] : [[known, kept[known]] as const])),
  );
  writeFileSync(RESULTS, await pretty(JSON.stringify(ordered), RESULTS));
  const page = existsSync(PAGE) ? readFileSync(PAGE, 'utf8') : '# Benchmarks\n';
  writeFileSync(PAGE, await pretty(withSection(page, section(ordered)), PAGE));
}

/** Returns the page with the marked section. It replaces the old section, or is added at the end. */
export function withSection(page: string, text: string): string {
  const [before, after] = page.includes(BEGIN)
    ? [page.slice(0, page.indexOf(BEGIN)), page.slice(page.indexOf(END) + END.length)]
    : [`${page.trimEnd()}\n\n`, '\n'];
  return `${before}${BEGIN}\n\n${text}\n\n${END}${after}`;
}

export function section(results: Readonly<Record<string, Result>>): string {
  const header = ['`npm run bench --`', 'what', 'compared with', 'ours', 'theirs', 'result (range)', 'must', 'goal', 'met', 'measured']; // prettier-ignore
  const lines = Object.entries(results).flatMap(([name, { rows, date, load }]) =>
    rows.map((row) => [`\`${name}\``, ...cells(row), `${date}, load ${figure(load[0])}–${figure(load[1])}`]),
  );
  const of = (key: 'machine' | 'versions') =>
    [...new Set(Object.values(results).map((result) => result[key]))].join('; ');
  const notes = Object.values(results).flatMap(({ rows }) =>
    rows.flatMap(({ what, note }) => (note === undefined ? [] : [`- ${what}: ${note}`])),
  );
  return [
    '## The system’s own cost',
    '',
    `Measured by \`npm run bench\` on ${of('machine')}; ${of('versions')}. Both sides run alternately in the same run.`,
    'Values are medians; the result also has the smallest and the largest value of the rounds. "load" is the load of the machine',
    'before the benchmark and in its last minute, including this benchmark.',
    '',
    ...[header, header.map(() => '---'), ...lines].map((row) => `| ${row.join(' | ')} |`),
    ...(notes.length === 0 ? [] : ['', ...notes]),
  ].join('\n');
}

/** Returns the text that is printed when a row is measured. */
export function line(name: string, row: Row): string {
  const [what, comparedWith, ours, theirs, result, must, goal, met] = cells(row);
  const sides = row.comparedWith === null ? ours : `${ours} against ${theirs} (${comparedWith})`;
  return `${name}: ${what}: ${sides}: ${result}; must ${must}, goal ${goal}: ${met}`;
}

function cells(row: Row): string[] {
  const { value, range, verdict } = judge(row);
  const inJudged = (number: number) => `${figure(number)} ${row.judge === 'ratio' ? '×' : row.unit}`;
  const inUnit = (values: number[]) => (values.length === 0 ? '–' : `${figure(median(values))} ${row.unit}`);
  return [
    row.what,
    row.comparedWith ?? '–',
    inUnit(row.ours),
    inUnit(row.theirs),
    row.ours.length === 1 ? inJudged(value) : `${inJudged(value)} (${range.map(figure).join('–')})`,
    `≤ ${inJudged(row.must)}`,
    row.goal === null ? '–' : `≤ ${inJudged(row.goal)}`,
    { goal: 'goal', must: 'must', missed: '**missed**' }[verdict],
  ];
}

/** Three digits. */
function figure(value: number): string {
  return Math.abs(value) >= 100
    ? Math.round(value).toLocaleString('en')
    : String(Number(value.toPrecision(3)));
}

async function pretty(text: string, file: string): Promise<string> {
  return format(text, { ...(await resolveConfig(file)), filepath: file });
}
