// Writes the models' part of docs/benchmarks.md: node test/accuracy/report.mjs [python with scipy]
// Takes about half an hour of one core. Everything is measured here and now; nothing is copied from earlier runs.
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { resolve } from 'node:path';
import { dataFile, missing, ROWS } from './measure.mjs';

const SEEDS = [11, 12, 13, 14, 15];
const FILE = resolve(import.meta.dirname, '../../docs/benchmarks.md');
const [BEGIN, END] = ['<!-- models: written by test/accuracy/report.mjs -->', '<!-- models: end -->'];
const python = process.argv[2] ?? 'python3';

if (missing().length > 0) {
  console.error(`no ${missing().join(', ')} beside the checkout: nothing to measure`);
  process.exit(1);
}

const measure = (...what) =>
  execFileSync(process.execPath, [resolve(import.meta.dirname, 'measure.mjs'), ...what], { encoding: 'utf8' })
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
const median = (values) => [...values].sort((a, b) => a - b)[values.length >> 1];
const percent = (value) => (100 * value).toFixed(1);
const spread = (values) =>
  `${percent(median(values))} (${percent(Math.min(...values))}–${percent(Math.max(...values))})`;

const header = ['data', 'chosen', 'median APE, %', 'within 10 %', 'within 20 %', 'MAPE, %', '`alpha-axes` median, %', '`alpha` median, %', 'coverage of 90 %', 'half-width', 'held-out estimate, %']; // prettier-ignore
const lines = Object.keys(ROWS).map((row) => {
  const runs = measure('error', row, ...SEEDS.map(String));
  console.error(row, runs.map((run) => percent(run.median)).join(' '));
  const of = (key) => runs.map((run) => run[key]);
  return [
    row,
    [...new Set(of('chosen'))].join(', '),
    spread(of('median')),
    spread(of('within10')),
    percent(median(of('within20'))),
    spread(of('mape')),
    spread(of('readable')),
    percent(median(of('alpha'))),
    spread(of('coverage')),
    `÷× ${Math.exp(median(of('halfWidth'))).toFixed(2)}`,
    percent(median(of('foreseen'))),
  ];
});
const [cost] = measure('cost');
const [ours] = measure('coefficients');
const theirs = spawnSync(python, [resolve(import.meta.dirname, 'curve_fit.py'), dataFile('asperti-2021-quadro-t2000.csv'), '50'], { encoding: 'utf8' }); // prettier-ignore
const compared =
  theirs.status === 0
    ? `scipy ${JSON.parse(theirs.stdout).scipy} \`curve_fit\` beside it: ${JSON.parse(theirs.stdout).ms.toFixed(1)} ms`
    : 'scipy was not there to compare with';
const six = ours.coefficients
  .map((group) => group.map((value) => value.toPrecision(3)).join(', '))
  .join('; ');
const version = JSON.parse(readFileSync(resolve(import.meta.dirname, '../../package.json'), 'utf8')).version;
const row = (cells) => `| ${cells.join(' | ')} |`;

const text = `## Models

Measured ${new Date().toISOString().slice(0, 10)} on ${cpus()[0].model.trim()} (${cpus().length} processors, shared with other work), Node ${process.versions.node}, alphaflops ${version}.
Splits by shape (20 % held out; the paper's data: five folds), \`auto\`, seeds ${SEEDS.join(', ')}: median (range). The settings of the models were chosen on other seeds.
"blind": the number of processors of the device was not told. Coverage and half-width are those of 90 % intervals, inside the domain.

${[header, header.map(() => '---'), ...lines].map(row).join('\n')}

- A fit of 10,000 network-like samples, choice between all forms and cross-validation included: ${cost.fitSeconds.toFixed(0)} s (${cost.fitCpuSeconds.toFixed(0)} s of one processor), ${cost.memoryMb.toFixed(0)} MB; model document ${cost.documentKb.toFixed(0)} kB.
- Predictions by that model: ${Math.round(cost.layersPerSecond / 1000)},000 layers/s (${Math.round(cost.layersPerCpuSecond / 1000)},000 per second of processor time), on one processor.
- \`--loss absolute\` on the paper's data: β, γ, c = ${six} (1×1; others) in ${ours.ms.toFixed(1)} ms; ${compared}.`;

const whole = existsSync(FILE) ? readFileSync(FILE, 'utf8') : '# Benchmarks\n';
const kept = whole.includes(BEGIN)
  ? [whole.slice(0, whole.indexOf(BEGIN)), whole.slice(whole.indexOf(END) + END.length)]
  : [`${whole.trimEnd()}\n\n`, '\n'];
writeFileSync(FILE, `${kept[0]}${BEGIN}\n\n${text}\n\n${END}${kept[1]}`);
