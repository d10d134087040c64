import { percent } from '@alphaflops/contracts/text';
import type { FitSample } from '@alphaflops/models';
import {
  type SimulatedTarget,
  simulateLearning,
  type SimulateLearningOptions,
  simulateTarget,
} from '@alphaflops/planning';
import { withProgress } from '../progress.js';
import { json, table } from '../tables.js';

interface Options extends Omit<SimulateLearningOptions, 'onRound'> {
  readonly targetError: number;
  readonly seeds: number;
  readonly json?: true;
}

interface Run extends SimulatedTarget {
  readonly seed: number;
}

/** Replays a campaign with a target error, with one seed or several, and prints the result. */
export async function simulateTargets(
  { pool, test }: { pool: readonly FitSample[]; test: readonly FitSample[] },
  { design, budget, form, device, targetError, seed: first, seeds, json: asJson }: Options,
): Promise<void> {
  const runs: Run[] = [];
  for (let seed = first; seed < first + seeds; seed += 1) {
    const options = { design, budget, form, device, seed };
    const fits = await withProgress((show) => simulateLearning(pool, test, { ...options, onRound: show }));
    runs.push({ seed, ...simulateTarget(fits, targetError) });
  }
  if (asJson === true) {
    console.log(json({ design, test: test.length, runs }));
    return;
  }
  const judges = `judged by ${test.length} samples of held-out shapes`;
  console.log(`${design} with a target error of ${percent(targetError)}, ${judges}\n`);
  const [run] = runs;
  console.log(runs.length === 1 && run !== undefined ? curveOf(run) : stopsOf(runs));
}

/** Prints one line per round. */
function curveOf({ points, stop, stoppedAt, trueShapesForTarget }: Run): string {
  const rows = points.map(({ shapes, form, medianApe, standardError, trueMedianApe, shapesForTarget }) => [
    ...[String(shapes), form, percent(medianApe), percent(standardError), percent(trueMedianApe)],
    shapesForTarget === undefined ? '' : (shapesForTarget?.toString() ?? 'never'),
  ]);
  const head = ['measured', 'form', 'median APE', '±', 'true', 'forecast: shapes for the target'];
  return [
    table(head, rows, 0),
    '',
    `Stops with ${stoppedAt.shapes} shapes: ${stop.reason}.`,
    `The true error is then ${percent(stoppedAt.trueMedianApe)}.`,
    trueShapesForTarget === null
      ? 'The true error does not reach the target within the budget.'
      : `The true error reaches the target with ${trueShapesForTarget} shapes.`,
  ].join('\n');
}

/** One line for each seed. */
function stopsOf(runs: readonly Run[]): string {
  const rows = runs.map(({ seed, stop, stoppedAt, trueShapesForTarget }) => [
    ...[String(seed), stop.kind, String(stoppedAt.shapes), percent(stoppedAt.medianApe)],
    ...[percent(stoppedAt.trueMedianApe), trueShapesForTarget?.toString() ?? 'more than the budget'],
  ]);
  return table(
    ['seed', 'stops for', 'with shapes', 'estimate', 'true error', 'shapes for the target'],
    rows,
    0,
  );
}
