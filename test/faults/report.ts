import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import type { Abilities } from './abilities.js';
import { ALL_KINDS } from './schedule.js';
import { describeInjected, type TrialResult } from './trial.js';

const seconds = (ms: number) => (ms / 1000).toFixed(1);

/**
 * Writes the report of this campaign and of earlier ones. Their results are in the file `report.md.json` in the same
 * folder, so that a long run can be done in parts. A repeated campaign replaces its result.
 */
export function keepResult(report: string, result: TrialResult, abilities: Abilities): void {
  const file = `${report}.json`;
  const before = existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as TrialResult[]) : [];
  const isOther = ({ options: { seed, store } }: TrialResult) =>
    seed !== result.options.seed || store !== result.options.store;
  const results = [...before.filter(isOther), result].sort((a, b) => a.options.seed - b.options.seed);
  writeFileSync(file, JSON.stringify(results));
  writeFileSync(report, reportOf(results, abilities));
}

/** Describes the events as a section of the report page. */
function reportOf(results: readonly TrialResult[], { skipped }: Abilities): string {
  const faults = results.flatMap(({ injected }) => injected);
  const recoveries = results.flatMap(({ recoveryMs }) => recoveryMs ?? []).sort((a, b) => a - b);
  const settled = results.map(({ settledMs }) => settledMs).sort((a, b) => a - b);
  const middle = (sorted: readonly number[]) => sorted[Math.floor(sorted.length / 2)] ?? NaN;
  const { specs = 0, replicates = 0 } = results[0]?.options ?? {};
  const lines = [
    `${faults.length} faults over ${results.length} campaigns of ${specs} specs with ${replicates} replicates each, ` +
      `seeds ${results[0]?.options.seed ?? 0} to ${results.at(-1)?.options.seed ?? 0}.`,
    '',
    `- Completed campaigns without lost samples, repeated samples or remaining jobs: ` +
      `${results.filter(({ problems }) => problems.length === 0).length} of ${results.length}.`,
    `- From the kill of a worker until other workers have its batches: measured ${recoveries.length} times, median ` +
      `${seconds(middle(recoveries))} s, longest ${seconds(recoveries.at(-1) ?? NaN)} s.`,
    `- From the end of the last fault to the end of the campaign: median ${seconds(middle(settled))} s, longest ` +
      `${seconds(settled.at(-1) ?? NaN)} s.`,
    ...skipped.map((line) => `- Left out: ${line}.`),
    '',
    '| fault | times |',
    '| --- | ---: |',
    ...ALL_KINDS.map((kind) => `| ${kind} | ${faults.filter(({ fault }) => fault.kind === kind).length} |`),
    '',
    '| seed | store | faults | campaign, s | recovery, s | samples lost to faults | result |',
    '| ---: | --- | ---: | ---: | ---: | --- | --- |',
    ...results.map(
      ({ options, store, injected, campaignMs, recoveryMs, cost, problems }) =>
        `| ${options.seed} | ${store} | ${injected.length} | ${seconds(campaignMs)} | ` +
        `${recoveryMs === null ? 'it had no batch' : seconds(recoveryMs)} | ${total(cost)} | ` +
        `${problems.length === 0 ? 'passed' : problems.join('; ')} |`,
    ),
  ];
  return `${lines.join('\n')}\n`;
}

/** Prints one line while other campaigns still run. */
export function describeTrial(result: TrialResult): string {
  const { options, store, injected, campaignMs, recoveryMs, settledMs, cost, problems } = result;
  return (
    `seed ${options.seed} on ${store}: ${injected.length} faults, campaign ${seconds(campaignMs)} s, ended ` +
    `${seconds(settledMs)} s after the last fault, killed worker’s batches in work again after ` +
    `${recoveryMs === null ? '–' : seconds(recoveryMs)} s, ${total(cost)} samples lost, ${problems.length} problems`
  );
}

/** Returns all information that is needed to understand and repeat a failure. */
export function describeFailure({
  options: { seed, store },
  injected,
  problems,
  directory,
  logTail,
}: TrialResult): string {
  return [
    `seed ${seed}: npm run test:faults -- --seed ${seed} --store ${store}`,
    ...problems.map((problem) => `  ${problem}`),
    'faults:',
    ...injected.map((one) => `  ${describeInjected(one)}`),
    `files and logs: ${directory ?? 'none'}; last of all:`,
    logTail,
  ].join('\n');
}

function total(cost: TrialResult['cost']): number {
  return Object.values(cost).reduce((sum, count) => sum + count, 0);
}
