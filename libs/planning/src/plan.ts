import { type FixedDesign, MAX_CAMPAIGN_SPECS } from '@alphaflops/contracts';
import { hasOptionalFields, PASSES, specKey, type ConvSpec, type Pass } from '@alphaflops/conv';
import type { Design } from './design.js';
import { brokenLimit, plannedDtypes, type Exclusions, type Limits } from './limits.js';
import { networklike } from './networklike.js';
import { paperSeries } from './paper-series.js';
import { PlanError } from './plan-error.js';
import { random } from './random.js';
import { REPLICATION } from './replication.js';

/** The designs that are made by rule; the design `csv` brings its own list. */
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

/** An endless design gives up after this many candidates per asked ConvSpec, plus a start. */
const CANDIDATES_PER_SPEC = 20;
const FIRST_CANDIDATES = 10_000;

/**
 * Chooses the ConvSpecs of a campaign. Pure: the same design, seed and limits give the same plan on every machine,
 * and a smaller plan is the start of a larger one. A plan may hold fewer specs than asked for, when a design has no
 * more or when the limits leave hardly any candidate; `excluded` then tells why.
 *
 * @throws PlanError `invalid-request` or `unknown-design`; `empty-plan` when nothing is left.
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
 * The same for specs with the same specKey, and for no others. As one character per number it is short and flat, and
 * made and looked up five times as fast as specKey: half the time of planning 100,000 specs was spent on those.
 */
function identityOf(spec: ConvSpec): string {
  const { batch, height, width, cin, cout, kernel_h, kernel_w, stride, groups } = spec;
  const numbers = [batch, height, width, cin, cout, kernel_h, kernel_w, stride, groups];
  // Nothing that a character cannot hold; such keys are longer, so that they are no other's.
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

/** Each shape in each of the passes, so that their costs can be compared. */
function* inPasses(shapes: Iterable<ConvSpec>, passes: readonly Pass[]): Iterable<ConvSpec> {
  const asked = PASSES.filter((pass) => passes.includes(pass));
  for (const shape of shapes) {
    for (const pass of asked) yield pass === 'forward' ? shape : { ...shape, pass };
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
