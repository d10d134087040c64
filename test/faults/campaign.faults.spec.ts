import { abilities } from './abilities.js';
import { describeFailure, describeTrial, keepResult } from './report.js';
import type { FaultKind } from './schedule.js';
import { STORES, type StoreKind, whyNoMongo } from './stores.js';
import { runTrial, type TrialOptions } from './trial.js';

/** The maximum time until the batches of a killed worker are in progress again. */
const RECOVERY_LIMIT_MS = 15_000;
/** A limit for a test that does not end. */
const TRIAL_LIMIT_MS = 8 * 60_000;

/** From run.mjs; without it, the short form. */
const settings = {
  seed: 1,
  campaigns: 1,
  /** 0: every kind once, on one of the stores. */
  faults: 0,
  /** Only these kinds; an empty list means all that are possible on this machine. */
  kinds: [],
  /** On each of these with every seed, or, in the long form, on one after the other. */
  stores: STORES,
  alternate: false,
  specs: 1_000,
  report: null,
  ...(JSON.parse(process.env['ALPHAFLOPS_FAULTS'] ?? '{}') as object),
} as {
  seed: number;
  campaigns: number;
  faults: number;
  kinds: FaultKind[];
  stores: readonly StoreKind[];
  alternate: boolean;
  specs: number;
  report: string | null;
};

const able = abilities(settings.kinds);
const noMongo = settings.stores.includes('mongodb') ? await whyNoMongo() : null;
if (noMongo !== null) able.skipped.push(`campaigns on MongoDB, run on SQLite instead: ${noMongo}`);
const stores: readonly StoreKind[] = noMongo === null ? settings.stores : ['sqlite'];
const plan = Array.from({ length: settings.campaigns }, (_, i) => settings.seed + i).flatMap((seed) =>
  stores
    .filter((_, i, { length }) => !settings.alternate || seed % length === i)
    .map((store) => optionsOf(seed, store)),
);

// Two at a time (maxConcurrency in jest.config.mjs): they mostly wait.
it.concurrent.each(plan)(
  'nothing is lost and nothing twice, seed $seed on $store',
  async (options) => {
    const result = await runTrial(options, able);
    // After each campaign, so that an interrupted long run has reported its results.
    if (settings.report !== null) keepResult(settings.report, result, able);
    process.stderr.write(`${describeTrial(result)}\n`);
    if (result.problems.length > 0) throw new Error(describeFailure(result));
    expect(result.injected).toHaveLength(options.faults);
    expect(result.recoveryMs ?? 0).toBeLessThanOrEqual(RECOVERY_LIMIT_MS);
  },
  TRIAL_LIMIT_MS,
);

function optionsOf(seed: number, store: StoreKind): TrialOptions {
  return {
    ...{ seed, store },
    // On every second campaign on MongoDB.
    transactions: Math.floor(seed / 2) % 2 === 0,
    kinds: kindsOn(store),
    faults: settings.faults === 0 ? kindsOn(store).length + 1 : settings.faults,
    specs: settings.specs,
    ...{ spanMs: 25_000, replicates: 2, specMs: 60 },
  };
}

/** In the short form on both stores, each kind occurs once in total: kinds that both stores allow are divided alternately. */
function kindsOn(store: StoreKind): FaultKind[] {
  const kinds = able.kinds[store];
  if (settings.faults > 0 || stores.length === 1) return kinds;
  const common = able.kinds.sqlite.filter((kind) => able.kinds.mongodb.includes(kind));
  return kinds.filter(
    (kind) => !common.includes(kind) || common.indexOf(kind) % stores.length === stores.indexOf(store),
  );
}

// Skipped tests, so that the summary of all tests lists what this machine cannot test.
for (const reason of able.skipped) it.skip(reason, () => undefined);
