// Writes the part of docs/benchmarks.md about campaigns with a target error: node test/accuracy/targets.mjs [SEEDS]
// [ROW…] Replays the H100 data beside the checkout with ten seeds, or with the given number of seeds. Each seed takes
// one or two minutes. The lines of earlier runs are kept in targets.json.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { readAllSamples } from '@alphaflops/dataset';
import { simulateLearning, simulateTarget, splitForSimulation } from '@alphaflops/planning';
import { format, resolveConfig } from 'prettier';
import { dataFile } from './measure.mjs';

const ROOT = resolve(import.meta.dirname, '../..');
const PAGE = resolve(ROOT, 'docs/benchmarks.md');
const RESULTS = resolve(import.meta.dirname, 'targets.json');
const [BEGIN, END] = [
  '<!-- target errors: written by test/accuracy/targets.mjs -->',
  '<!-- target errors: end -->',
];
const ROWS = {
  'networklike networklike': { file: 'h100-networklike.csv', design: 'networklike', budget: 3000 },
  'networklike adaptive': { file: 'h100-networklike.csv', design: 'adaptive', budget: 3000 },
  'networklike csv': { file: 'h100-networklike.csv', design: 'csv', budget: 3000 },
  'random networklike': { file: 'h100-random.csv', design: 'networklike', budget: 3000 },
};
const DEVICE = { smCount: 132 };
/** Target error, and the factor within which a forecast counts as right. */
const TARGETS = [
  { target: 0.15, factor: 1.5 },
  { target: 0.12, factor: 1.5 },
  { target: 0.1, factor: 2 },
];
const FROM_SHAPES = 300;

const median = (values) => [...values].sort((a, b) => a - b)[values.length >> 1];
const percent = (share) => `${(100 * share).toFixed(1)} %`;
const range = (values, text) =>
  `${text(median(values))} (${text(Math.min(...values))}–${text(Math.max(...values))})`;

async function runs({ file, design, budget }, seeds) {
  const { pool, test } = splitForSimulation(await readAllSamples(readFileSync(dataFile(file), 'utf8'), file));
  return seeds.map((seed) => {
    const fits = simulateLearning(pool, test, { design, budget, seed, form: 'auto', device: DEVICE });
    console.error(file, design, seed, fits.at(-1));
    return fits;
  });
}

/** Forecasts from 300 shapes until the target is reached, and the stop. */
function judged(learned, { target, factor }) {
  const results = learned.map((fits) => simulateTarget(fits, target));
  const known = results.filter(({ trueShapesForTarget }) => trueShapesForTarget !== null);
  const ratios = known.flatMap(({ points, trueShapesForTarget, stoppedAt }) =>
    points
      .filter(({ shapes }) => shapes >= FROM_SHAPES && shapes <= stoppedAt.shapes)
      .map(({ shapesForTarget }) => (shapesForTarget ?? Infinity) / trueShapesForTarget),
  );
  const right = ratios.filter((ratio) => ratio <= factor && ratio >= 1 / factor);
  const near = results.filter(({ stoppedAt }) => Math.abs(stoppedAt.trueMedianApe / target - 1) <= 0.1);
  const whole = (value) => value.toFixed(0);
  return [
    percent(target),
    known.length === 0 ? '–' : range(known.map((one) => one.trueShapesForTarget), whole), // prettier-ignore
    ratios.length === 0 ? '–' : `${right.length} of ${ratios.length} (× ${factor})`,
    range(results.map(({ stoppedAt }) => stoppedAt.shapes), whole), // prettier-ignore
    range(results.map(({ stoppedAt }) => stoppedAt.trueMedianApe), percent), // prettier-ignore
    `${near.length} of ${results.length}`,
  ];
}

function section(results) {
  const header = ['data, design', 'target', 'shapes for the target', 'forecasts that are right', 'stops with', 'true error then', 'within 10 % of the target']; // prettier-ignore
  const rows = Object.entries(results).flatMap(([row, { lines }]) => lines.map((line) => [row, ...line]));
  const dates = [...new Set(Object.values(results).map(({ date }) => date))].join(', ');
  return `## Target errors

Campaigns with a target error, replayed on data of an H100 (\`alphaflops simulate --target-error\`): median (range) of the seeds.
One shape in five is held out, and only gives the true error. The name of a row is that of the data and of the design; \`networklike\`
draws shapes as the data have them. A forecast is right when it is within the factor of the true number of shapes. Each forecast from
${FROM_SHAPES} shapes on until the campaign stops counts. Measured ${dates}.

${[header, header.map(() => '---'), ...rows].map((row) => `| ${row.join(' | ')} |`).join('\n')}`;
}

async function write(file, text) {
  writeFileSync(file, await format(text, { ...(await resolveConfig(file)), filepath: file }));
}

const [, , count = '10', ...names] = process.argv;
const results = existsSync(RESULTS) ? JSON.parse(readFileSync(RESULTS, 'utf8')) : {};
for (const name of names.length > 0 ? names : Object.keys(ROWS)) {
  const seeds = Array.from({ length: Number(count) }, (_, i) => i + 1);
  const learned = await runs(ROWS[name], seeds);
  const lines = TARGETS.map((target) => judged(learned, target));
  results[name] = { date: new Date().toISOString().slice(0, 10), lines };
  await write(RESULTS, JSON.stringify(results));
  const page = readFileSync(PAGE, 'utf8');
  const [head, tail] = page.includes(BEGIN)
    ? [page.slice(0, page.indexOf(BEGIN)), page.slice(page.indexOf(END) + END.length)]
    : [`${page.trimEnd()}\n\n`, '\n'];
  await write(PAGE, `${head}${BEGIN}\n\n${section(results)}\n\n${END}${tail}`);
}
