import { writeFileSync } from 'node:fs';
import { abilities } from './abilities.js';
import { describeFailure, describeTrial, reportOf } from './report.js';
import type { FaultKind } from './schedule.js';
import { runTrial, type TrialResult } from './trial.js';

/** A killed worker's batches are in work again after at most so long. */
const RECOVERY_LIMIT_MS = 15_000;
/** A limit for what hangs. */
const TRIAL_LIMIT_MS = 6 * 60_000;

/** From run.mjs; without it, the short form. */
const settings = {
  seed: 1,
  campaigns: 1,
  /** 0: every kind once. */
  faults: 0,
  /** Of these kinds alone; none: of all that can be made here. */
  kinds: [],
  report: null,
  ...(JSON.parse(process.env['ALPHAFLOPS_FAULTS'] ?? '{}') as object),
} as { seed: number; campaigns: number; faults: number; kinds: FaultKind[]; report: string | null };

const able = abilities(settings.kinds);
const results: TrialResult[] = [];
const seeds = Array.from({ length: settings.campaigns }, (_, i) => settings.seed + i);

it.each(seeds)(
  'nothing is lost and nothing twice, seed %i',
  async (seed) => {
    const faults = settings.faults === 0 ? able.kinds.length + 1 : settings.faults;
    const result = await runTrial({ seed, faults, spanMs: 25_000, specs: 2_000, specMs: 60 }, able);
    results.push(result);
    // After each, so that a long run that is broken off has told what it saw.
    if (settings.report !== null) writeFileSync(settings.report, reportOf(results, able));
    process.stderr.write(`${describeTrial(result)}\n`);
    if (result.problems.length > 0) throw new Error(describeFailure(result));
    expect(result.injected).toHaveLength(faults);
    expect(result.recoveryMs ?? 0).toBeLessThanOrEqual(RECOVERY_LIMIT_MS);
  },
  TRIAL_LIMIT_MS,
);

// Skipped, so that the summary of all tests says what could not be tried here.
for (const reason of able.skipped) it.skip(reason, () => undefined);
