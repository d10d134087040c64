import { z } from 'zod';
import { ModelError } from '../error.js';
import { GATES } from './gates.js';
import type { Regime } from './grow.js';
import { isLogarithmic, P, valuesOf } from './tile-wave-parameters.js';
import { tileWaveMs } from './tile-wave.js';

/**
 * Regimes of one kernel family in preorder: the lower side of a split follows it, and `else` is the index of the upper side.
 * Deviations are relative to the family's parameters, in the same order: logarithms of factors, and differences for u and v.
 */
export const RegimesSchema = z.array(
  z.union([
    z.object({ gate: z.string(), atMost: z.number(), else: z.int().min(0) }),
    z.object({ n: z.int().min(0), deviations: z.array(z.number()).length(P) }),
  ]),
);
export type Regimes = z.infer<typeof RegimesSchema>;

const DIGITS = 1e4;
const rounded = (value: number): number => Math.round(value * DIGITS) / DIGITS;

export function documentRegimes(root: Regime): Regimes {
  const nodes: Regimes = [];
  const visit = (regime: Regime): void => {
    if (!regime.split) {
      const deviations = Array.from(regime.vector, (value, j) => rounded(value - (root.vector[j] ?? 0)));
      nodes.push({ n: regime.n, deviations });
      return;
    }
    const { gate, threshold, lower, upper } = regime.split;
    const at = nodes.length;
    nodes.push({ gate: GATES[gate]?.name ?? '', atMost: threshold, else: 0 });
    visit(lower);
    nodes[at] = { gate: GATES[gate]?.name ?? '', atMost: threshold, else: nodes.length };
    visit(upper);
  };
  visit(root);
  return nodes;
}

/** Milliseconds of a row of the formula, given the values of all gates. */
export type RegimePredictor = (row: Float64Array, gates: Float64Array) => number;

/** @throws ModelError `bad-document` for an unknown gate or a node with a wrong index. */
export function compileRegimes(root: Float64Array, regimes: Regimes): RegimePredictor {
  const n = regimes.length;
  const gateOf = new Int32Array(n).fill(-1);
  const threshold = new Float64Array(n);
  const upper = new Int32Array(n);
  const leaves: Float64Array[] = [];
  regimes.forEach((node, i) => {
    if ('deviations' in node) {
      upper[i] = leaves.length;
      leaves.push(
        valuesOf(Float64Array.from(root, (value, j) => deviated(j, value, node.deviations[j] ?? 0))),
      );
      return;
    }
    const gate = GATES.findIndex(({ name }) => name === node.gate);
    if (gate < 0 || node.else <= i || node.else >= n) {
      throw new ModelError(
        'bad-document',
        `regime ${i} splits on "${node.gate}" to ${node.else}: not readable`,
      );
    }
    [gateOf[i], threshold[i], upper[i]] = [gate, node.atMost, node.else];
  });
  const none = valuesOf(root);
  return (row, gates) => {
    let at = 0;
    for (let gate = gateOf[0] ?? -1; gate >= 0; gate = gateOf[at] ?? -1) {
      at = (gates[gate] ?? 0) <= (threshold[at] ?? 0) ? at + 1 : (upper[at] ?? 0);
    }
    return tileWaveMs(leaves[upper[at] ?? 0] ?? none, row, 0);
  };
}

/** Rounding may make u or v slightly negative. */
const deviated = (j: number, value: number, deviation: number): number =>
  isLogarithmic(j) ? value + deviation : Math.max(0, value + deviation);
