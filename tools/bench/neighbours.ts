import { spawn, type ChildProcess } from 'node:child_process';
import type { Measurement, Protocol } from '@alphaflops/contracts';
import { specKey, type ConvSpec } from '@alphaflops/conv';
import { ExecutorHost, probeAll } from '@alphaflops/executor';
import { protocolNamed } from '@alphaflops/measure';
import { plan } from '@alphaflops/planning';
import type { Benchmark, Row, Scale } from './benchmark.js';

/** Arithmetic over a 16 MB array, for 5 s of every 10 s by the clock, in step with the others. */
const NEIGHBOUR = `
const data = new Float64Array(2_097_152).fill(1);
const isBusy = () => Date.now() % 10_000 < 5_000;
const work = () => {
  const untilMs = Date.now() + 50;
  while (isBusy() && Date.now() < untilMs) for (let i = 0; i < data.length; i += 1) data[i] = data[i] * 1.0000001 + 1e-9;
  if (isBusy()) setImmediate(work);
  else setTimeout(work, 20);
};
work();
`;
const NEIGHBOURS = 4;
/** A sample is bad if its outcome is ok and its time exceeds the best time of its shape by more than this share. */
const MAX_ABOVE_BEST = 0.1;

interface Campaign {
  readonly samples: readonly { key: string; measurement: Measurement }[];
  readonly seconds: number;
}

/** Samples of executor tfjs-wasm while other programs use the processors: docs/measurement.md, "Disturbance". */
export const neighbours: Benchmark = {
  what: 'samples measured beside busy programs',
  run: async (scale) => {
    const [shapes, replicates] = scale === 'full' ? [40, 3] : [4, 1];
    const limits = { specs: shapes, constraints: { maxMacs: 5e7, allowGroups: false } };
    const { specs } = plan({ name: 'networklike', seed: 7 }, limits);
    const protocol = protocolNamed('cpu');
    const unwatched = { ...protocol };
    delete unwatched.maxDisturbance;
    const bare = await campaign(specs, replicates, unwatched);
    const quiet = await campaign(specs, replicates, protocol);
    const busy = await beside(() => campaign(specs, replicates, protocol));
    const bareBusy = await beside(() => campaign(specs, replicates, unwatched));
    return rows(scale, { bare, quiet, busy, bareBusy });
  },
};

function rows(scale: Scale, all: Record<'bare' | 'quiet' | 'busy' | 'bareBusy', Campaign>): Row[] {
  const { bare, quiet, busy, bareBusy } = all;
  const best = bestTimes([bare, quiet, busy, bareBusy]);
  const count = busy.samples.length;
  const common = { theirs: [], comparedWith: null, goal: null };
  const note = `${count} samples; ${NEIGHBOURS} busy programs, 5 s of every 10 s`;
  return [
    {
      ...common,
      what: 'samples called ok that are more than 10 % above the best of their shape, beside busy programs',
      unit: '%',
      ours: [100 * badShare(busy, best)],
      judge: 'ours',
      must: 2,
      note: `${note}; ${percent(badShare(bareBusy, best))} where disturbance is not watched, ${percent(badShare(quiet, best))} on the quiet machine`,
    },
    {
      ...common,
      what: 'samples that are not ok, beside busy programs',
      unit: '%',
      ours: [100 * notOkShare(busy)],
      judge: 'ours',
      must: 100 / 6,
      note,
    },
    {
      ...common,
      what: 'samples that are not ok, on the quiet machine',
      unit: '%',
      ours: [100 * notOkShare(quiet)],
      judge: 'ours',
      must: 5,
    },
    {
      ...common,
      what: 'time of a campaign beside busy programs',
      comparedWith: 'the same on the quiet machine',
      unit: 's',
      ours: [busy.seconds],
      theirs: [quiet.seconds],
      judge: 'ratio',
      must: 3,
      note,
    },
    {
      ...common,
      what: 'time of a campaign on the quiet machine',
      comparedWith: 'without reference convolutions',
      unit: 's',
      ours: [quiet.seconds],
      theirs: [bare.seconds],
      judge: 'ratio',
      must: scale === 'full' ? 1.08 : 10,
    },
  ];
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}

async function campaign(
  specs: readonly ConvSpec[],
  replicates: number,
  protocol: Protocol,
): Promise<Campaign> {
  const reference = { executor: 'tfjs-wasm', module: import.meta.resolve('@alphaflops/executor-tfjs') };
  const [probed] = await probeAll([reference]);
  if (probed?.result.ok !== true) throw new Error('executor tfjs-wasm does not work here');
  const host = new ExecutorHost({ ...reference, deviceUuid: probed.result.devices[0]?.uuid ?? '' });
  try {
    await host.start();
    const startMs = performance.now();
    const samples = [];
    for (let replicate = 0; replicate < replicates; replicate++) {
      for (const spec of specs) {
        samples.push({ key: specKey(spec), measurement: await host.measure(spec, protocol) });
      }
    }
    return { samples, seconds: (performance.now() - startMs) / 1000 };
  } finally {
    await host.close();
  }
}

async function beside<T>(work: () => Promise<T>): Promise<T> {
  const started: ChildProcess[] = [];
  for (let i = 0; i < NEIGHBOURS; i++) started.push(spawn(process.execPath, ['--eval', NEIGHBOUR]));
  try {
    return await work();
  } finally {
    for (const neighbour of started) neighbour.kill();
  }
}

function bestTimes(campaigns: readonly Campaign[]): Map<string, number> {
  const best = new Map<string, number>();
  for (const { key, measurement } of campaigns.flatMap(({ samples }) => samples)) {
    if (measurement.outcome !== 'ok') continue;
    best.set(key, Math.min(best.get(key) ?? Infinity, measurement.timing.timeMs));
  }
  return best;
}

function notOkShare({ samples }: Campaign): number {
  return samples.filter(({ measurement }) => measurement.outcome !== 'ok').length / samples.length;
}

function badShare({ samples }: Campaign, best: ReadonlyMap<string, number>): number {
  const ok = samples.filter(({ measurement }) => measurement.outcome === 'ok');
  const bad = ok.filter(
    ({ key, measurement }) =>
      (measurement.timing?.timeMs ?? 0) > (1 + MAX_ABOVE_BEST) * (best.get(key) ?? Infinity),
  );
  return ok.length === 0 ? 0 : bad.length / ok.length;
}
