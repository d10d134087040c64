import { type FixedDesign, MAX_CAMPAIGN_SPECS } from '@alphaflops/contracts';
import { hasOptionalFields, PASSES, specKey, type ConvSpec, type Pass } from '@alphaflops/conv';
import type { Design } from './design.js';
import { brokenLimit, plannedDtypes, type Exclusions, type Limits } from './limits.js';
import { networklike } from './networklike.js';
import { paperSeries } from './paper-series.js';
import { PlanError } from './plan-error.js';
import { random } from './random.js';
import { REPLICATION } from './replication.js';

/** The designs that follow a rule. The design `csv` has its own list instead. */
export const DESIGNS: readonly Design[] = [paperSeries, ...REPLICATION, random, networklike];

/** Which design: one of `DESIGNS` by name, or a given list. `seed` is an unsigned 32-bit integer, 1 by default. */
export type DesignChoice =
  | { readonly name: FixedDesign }
  | { readonly name: 'random' | 'networklike'; readonly seed?: number }
  | { readonly name: 'csv'; readonly specs: Iterable<ConvSpec> };

export interface PlanRequest extends Limits {
  /** At most this many ConvSpecs. */
  readonly specs: number;
}

export interface Plan {
  /** In the order in which they should be measured; no two have the same specKey. */
  readonly specs: readonly ConvSpec[];
  readonly excluded: Exclusions;
}

/** An endless design gives up after this number of candidates per requested ConvSpec, plus a constant number. */
const CANDIDATES_PER_SPEC = 20;
const FIRST_CANDIDATES = 10_000;

/**
 * Chooses the ConvSpecs of a campaign. Pure: the same design, seed and limits give the same plan on every machine,
 * and a smaller plan is the start of a larger one. A plan has fewer specs than requested when the design has no more, or when
 * the limits exclude most candidates; `excluded` then gives the reasons.
 *
 * @throws PlanError `invalid-request` or `unknown-design`; `empty-plan` when no spec is left.
 */
export function plan(choice: DesignChoice, request: PlanRequest): Plan {
  checkRequest(choice, request);
  const { candidates, maxCandidates } = candidatesOf(choice, request);
  const specs: ConvSpec[] = [];
  const planned = new Set<string>();
  const excluded: Exclusions = {};
  let drawn = 0;
  for (const spec of candidates) {
    const full = specs.length >= request.specs;
    if (drawn >= maxCandidates || (full && maxCandidates < Infinity)) break;
    drawn += 1;
    const identity = identityOf(spec);
    const reason = planned.has(identity)
      ? 'duplicate'
      : (brokenLimit(spec, request) ?? (full ? 'over-budget' : null));
    if (reason) {
      excluded[reason] = (excluded[reason] ?? 0) + 1;
    } else {
      planned.add(identity);
      specs.push(spec);
    }
  }
  if (specs.length === 0)
    throw new PlanError('empty-plan', emptyPlanMessage(choice, drawn, excluded), excluded);
  return { specs, excluded };
}

/**
 * Two specs have the same identity exactly when they have the same specKey. It has one character per number, and is five times
 * as fast to make and to look up as specKey, which took half the time of planning 100,000 specs.
 */
function identityOf(spec: ConvSpec): string {
  const { batch, height, width, cin, cout, kernel_h, kernel_w, stride, groups } = spec;
  const numbers = [batch, height, width, cin, cout, kernel_h, kernel_w, stride, groups];
  // A character cannot hold these values. A specKey is longer than any identity, so that they cannot be equal.
  if (hasOptionalFields(spec) || numbers.some((number) => number > 0xffff)) return specKey(spec);
  return String.fromCharCode(...numbers) + spec.dtype + spec.padding + spec.layout;
}

function candidatesOf(
  choice: DesignChoice,
  { specs, constraints }: PlanRequest,
): { candidates: Iterable<ConvSpec>; maxCandidates: number } {
  if (choice.name === 'csv') return { candidates: choice.specs, maxCandidates: Infinity };
  const design = DESIGNS.find(({ name }) => name === choice.name);
  if (!design) {
    const known = [...DESIGNS.map(({ name }) => name), 'csv'].join(', ');
    throw new PlanError('unknown-design', `there is no design “${choice.name}”; the designs are ${known}`);
  }
  const seed = 'seed' in choice ? (choice.seed ?? 1) : 1;
  const shapes = design.candidates({
    seed,
    dtypes: plannedDtypes(constraints),
    allGeometries: constraints?.allGeometries === true,
  });
  return {
    candidates: inPasses(shapes, constraints?.passes ?? ['forward']),
    maxCandidates: design.endless ? CANDIDATES_PER_SPEC * specs + FIRST_CANDIDATES : Infinity,
  };
}

/** Each shape in each of the passes, so that the costs of passes can be compared. */
function* inPasses(shapes: Iterable<ConvSpec>, passes: readonly Pass[]): Iterable<ConvSpec> {
  const requestedPasses = PASSES.filter((pass) => passes.includes(pass));
  for (const shape of shapes) {
    for (const pass of requestedPasses) yield pass === 'forward' ? shape : { ...shape, pass };
  }
}

function checkRequest(choice: DesignChoice, { specs, maxSpecMs, estimateMs }: PlanRequest): void {
  const invalid = (message: string) => new PlanError('invalid-request', message);
  if (!Number.isInteger(specs) || specs < 1 || specs > MAX_CAMPAIGN_SPECS) {
    throw invalid(`a plan has from 1 to ${MAX_CAMPAIGN_SPECS} specs, not ${specs}`);
  }
  if ('seed' in choice && choice.seed !== undefined && choice.seed >>> 0 !== choice.seed) {
    throw invalid(`a seed is a whole number from 0 to 4294967295, not ${choice.seed}`);
  }
  if (maxSpecMs !== undefined && !estimateMs) {
    throw invalid(
      'a time cap needs an estimate of the times: give an earlier model, or cap the multiply-adds',
    );
  }
}

function emptyPlanMessage({ name }: DesignChoice, drawn: number, excluded: Exclusions): string {
  const reasons = Object.entries(excluded).map(([reason, count]) => `${count} ${reason}`);
  return drawn === 0
    ? `the design ${name} has no ConvSpec`
    : `none of ${drawn} candidates of the design ${name} can be measured: left out ${reasons.join(', ')}`;
}
