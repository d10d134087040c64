import { existsSync } from 'node:fs';
import { percent } from '@alphaflops/contracts/text';
import { type ConvSpec, specKey } from '@alphaflops/conv';
import { readAllSamples } from '@alphaflops/dataset';
import type { Command } from 'commander';
import { median, quantile } from 'simple-statistics';
import { connect, type ConnectionOptions, withConnection } from '../connection.js';
import { CliError } from '../error.js';
import { inputName, noteIgnored, readInput, STANDARD } from '../files.js';
import { wholeNumber } from '../options.js';
import { itemsOf } from '../pages.js';
import { json, significant, table } from '../tables.js';

interface CompareOptions extends ConnectionOptions {
  worst: number;
  json?: true;
}

/** The values of a good sample that the comparison needs. */
interface Timed {
  readonly spec: ConvSpec;
  readonly timeMs: number;
}

/** A shape of both sides, with the median of its times on each side. */
interface Pair {
  readonly spec: string;
  readonly beforeMs: number;
  readonly afterMs: number;
  /** afterMs / beforeMs */
  readonly ratio: number;
}

/** Quantiles of the ratio of times. */
interface Ratios {
  readonly kernels: string;
  readonly shapes: number;
  readonly p10: number;
  readonly median: number;
  readonly p90: number;
  /** Share of the shapes whose times differ by at most 3 % (10 %). */
  readonly within3: number;
  readonly within10: number;
}

export function campaignCompareCommand(command: Command): void {
  withConnection(
    command
      .argument('<before>', 'id of a campaign, or a file of samples (CSV)')
      .argument('<after>', 'the same; - for standard input')
      .description(
        'the times of the shapes that two campaigns share, such as one by PyTorch and one by cudnn',
      ),
  )
    .option(
      '--worst <number>',
      'number of shapes to list, those with the largest differences first',
      wholeNumber(0),
      10,
    )
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      '\nGive both the same shapes: the same design and seed, or the same file.\n\n' +
        'Example:\n  alphaflops campaign compare CAMPAIGN_OF_PYTORCH CAMPAIGN_OF_CUDNN',
    )
    .action(compare);
}

async function compare(before: string, after: string, options: CompareOptions): Promise<void> {
  const pairs = paired(await timesOf(before, options), await timesOf(after, options));
  if (pairs.length === 0) {
    throw new CliError(
      'bad-input',
      `${before} and ${after} have no shape in common with good samples in both. Give both campaigns the same design and seed.`,
    );
  }
  const groups = [
    ratios('all', pairs),
    ...(['1x1', 'other'] as const).flatMap((kernels) => {
      const some = pairs.filter(({ spec }) => spec.includes('-k1x1-') === (kernels === '1x1'));
      return some.length === 0 ? [] : [ratios(kernels, some)];
    }),
  ];
  const worst = pairs
    .toSorted((a, b) => Math.abs(Math.log(b.ratio)) - Math.abs(Math.log(a.ratio)))
    .slice(0, options.worst);
  if (options.json === true) {
    console.log(json({ before, after, ratios: groups, worst }));
    return;
  }
  console.log(`Times of ${after} divided by those of ${before}:\n`);
  console.log(ratiosTable(groups));
  if (worst.length > 0) console.log(`\nLargest differences:\n\n${worstTable(worst)}`);
}

/** The good samples of a campaign, or of a file if a file has that name. */
async function timesOf(source: string, options: ConnectionOptions): Promise<Timed[]> {
  if (source === STANDARD || existsSync(source)) {
    return await readAllSamples(readInput(source), inputName(source), noteIgnored(source));
  }
  const { api } = connect(options);
  // Requested first, so that an unknown id is an error and not a campaign without samples.
  await api.GET('/v1/campaigns/{id}', { params: { path: { id: source } } });
  const samples = await itemsOf((page) =>
    api.GET('/v1/samples', { params: { query: { ...page, campaignId: source, outcome: 'ok' } } }),
  );
  return samples.flatMap(({ spec, timing }) => (timing === null ? [] : [{ spec, timeMs: timing.timeMs }]));
}

function paired(before: readonly Timed[], after: readonly Timed[]): Pair[] {
  const others = mediansByShape(after);
  return [...mediansByShape(before)].flatMap(([spec, beforeMs]) => {
    const afterMs = others.get(spec);
    return afterMs === undefined ? [] : [{ spec, beforeMs, afterMs, ratio: afterMs / beforeMs }];
  });
}

function mediansByShape(samples: readonly Timed[]): Map<string, number> {
  const times = new Map<string, number[]>();
  for (const { spec, timeMs } of samples) {
    const shape = specKey(spec);
    times.set(shape, [...(times.get(shape) ?? []), timeMs]);
  }
  return new Map([...times].map(([shape, some]) => [shape, median(some)]));
}

function ratios(kernels: string, pairs: readonly Pair[]): Ratios {
  const all = pairs.map(({ ratio }) => ratio);
  const within = (share: number) => all.filter((ratio) => Math.abs(ratio - 1) <= share).length / all.length;
  return {
    ...{ kernels, shapes: all.length },
    ...{ p10: quantile(all, 0.1), median: median(all), p90: quantile(all, 0.9) },
    ...{ within3: within(0.03), within10: within(0.1) },
  };
}

function ratiosTable(groups: readonly Ratios[]): string {
  return table(
    ['kernels', 'shapes', '10 %', 'median', '90 %', 'within 3 %', 'within 10 %'],
    groups.map(({ kernels, shapes, p10, median: middle, p90, within3, within10 }) => [
      ...[kernels, String(shapes), significant(p10, 3), significant(middle, 3), significant(p90, 3)],
      ...[percent(within3, 0), percent(within10, 0)],
    ]),
    1,
  );
}

function worstTable(worst: readonly Pair[]): string {
  return table(
    ['convolution', 'before, ms', 'after, ms', 'ratio'],
    worst.map(({ spec, beforeMs, afterMs, ratio }) => [
      ...[spec, significant(beforeMs), significant(afterMs), significant(ratio, 3)],
    ]),
    1,
  );
}
