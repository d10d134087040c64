import type { Abilities } from './abilities.js';
import { ALL_KINDS } from './schedule.js';
import { describeInjected, type TrialResult } from './trial.js';

const seconds = (ms: number) => (ms / 1000).toFixed(1);

/** What happened, as a section of a page for people. */
export function reportOf(results: readonly TrialResult[], { skipped }: Abilities): string {
  const faults = results.flatMap(({ injected }) => injected);
  const recoveries = results.flatMap(({ recoveryMs }) => recoveryMs ?? []).sort((a, b) => a - b);
  const settled = results.map(({ settledMs }) => settledMs).sort((a, b) => a - b);
  const middle = (sorted: readonly number[]) => sorted[Math.floor(sorted.length / 2)] ?? NaN;
  const lines = [
    `${faults.length} faults over ${results.length} campaigns of ${results[0]?.options.specs ?? 0} specs, seeds ` +
      `${results[0]?.options.seed ?? 0} to ${results.at(-1)?.options.seed ?? 0}.`,
    '',
    `- Campaigns with nothing lost, nothing twice, nothing left, and completed: ` +
      `${results.filter(({ problems }) => problems.length === 0).length} of ${results.length}.`,
    `- From the kill of a worker to when its batches were in work again: ${recoveries.length} times measured, median ` +
      `${seconds(middle(recoveries))} s, longest ${seconds(recoveries.at(-1) ?? NaN)} s.`,
    `- From the end of the last fault to the end of the campaign: median ${seconds(middle(settled))} s, longest ` +
      `${seconds(settled.at(-1) ?? NaN)} s.`,
    ...skipped.map((line) => `- Left out: ${line}.`),
    '',
    '| fault | times |',
    '| --- | ---: |',
    ...ALL_KINDS.map((kind) => `| ${kind} | ${faults.filter(({ fault }) => fault.kind === kind).length} |`),
    '',
    '| seed | faults | campaign, s | recovery, s | samples lost to faults | result |',
    '| ---: | ---: | ---: | ---: | --- | --- |',
    ...results.map(
      ({ options, injected, campaignMs, recoveryMs, cost, problems }) =>
        `| ${options.seed} | ${injected.length} | ${seconds(campaignMs)} | ` +
        `${recoveryMs === null ? 'it had no batch' : seconds(recoveryMs)} | ${describeCost(cost)} | ` +
        `${problems.length === 0 ? 'as it should be' : problems.join('; ')} |`,
    ),
  ];
  return `${lines.join('\n')}\n`;
}

/** One line while the others still run. */
export function describeTrial({
  options,
  injected,
  campaignMs,
  recoveryMs,
  settledMs,
  cost,
  problems,
}: TrialResult): string {
  return (
    `seed ${options.seed}: ${injected.length} faults, campaign ${seconds(campaignMs)} s, ended ${seconds(settledMs)} s after ` +
    `the last fault, killed worker’s batches in work again after ${recoveryMs === null ? '–' : seconds(recoveryMs)} s, ` +
    `${describeCost(cost)} samples lost, ${problems.length} problems`
  );
}

/** Everything that is needed to see what went wrong, and to do it again. */
export function describeFailure({ options, injected, problems, directory }: TrialResult): string {
  return [
    `seed ${options.seed}: npm run test:faults -- --seed ${options.seed}`,
    ...problems.map((problem) => `  ${problem}`),
    'faults:',
    ...injected.map((one) => `  ${describeInjected(one)}`),
    `files and logs: ${directory ?? 'none'}`,
  ].join('\n');
}

function describeCost(cost: TrialResult['cost']): string {
  const total = Object.values(cost).reduce((sum, count) => sum + count, 0);
  return String(total);
}
