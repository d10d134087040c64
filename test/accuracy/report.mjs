// Writes the models' part of docs/benchmarks.md: node test/accuracy/report.mjs [ROW… | cost | energy-cost |
// coefficients] Measures the named parts, or all parts (some minutes on two processors). Earlier results stay in
// results.json, each with its date and machine. ALPHAFLOPS_PYTHON: a Python with scipy, for comparison.
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';
import { resolve } from 'node:path';
import { format, resolveConfig } from 'prettier';
import { dataFile, missing, ROWS } from './measure.mjs';

const SEEDS = [11, 12, 13, 14, 15];
const ROOT = resolve(import.meta.dirname, '../..');
const PAGE = resolve(ROOT, 'docs/benchmarks.md');
const RESULTS = resolve(import.meta.dirname, 'results.json');
const [BEGIN, END] = ['<!-- models: written by test/accuracy/report.mjs -->', '<!-- models: end -->'];

const measure = (...what) =>
  execFileSync(process.execPath, [resolve(import.meta.dirname, 'measure.mjs'), ...what], { encoding: 'utf8' })
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
const median = (values) => [...values].sort((a, b) => a - b)[values.length >> 1];
const percent = (value) => (100 * value).toFixed(1);
const thousands = (value) => `${Math.round(value / 1000)},000`;
const spread = (values) =>
  `${percent(median(values))} (${percent(Math.min(...values))}–${percent(Math.max(...values))})`;

function scipy() {
  const program = resolve(import.meta.dirname, 'curve_fit.py');
  const python = process.env.ALPHAFLOPS_PYTHON ?? 'python3';
  const { status, stdout } = spawnSync(python, [program, dataFile('asperti-2021-quadro-t2000.csv'), '50']);
  return status === 0 ? JSON.parse(stdout) : null;
}

/** The measurements by name. Each returns plain data, which is stored. */
const MEASUREMENTS = {
  ...Object.fromEntries(
    Object.keys(ROWS).map((row) => [row, () => measure('error', row, ...SEEDS.map(String))]),
  ),
  cost: () => measure('cost')[0],
  'kernel-cost': () => measure('kernel-cost')[0],
  'energy-cost': () => measure('energy-cost')[0],
  coefficients: () => ({ ours: measure('coefficients')[0], theirs: scipy() }),
};

function cells(row, { result: runs, date }) {
  const of = (key) => runs.map((run) => run[key]);
  return [
    row,
    [...new Set(of('chosen'))].join(', '),
    spread(of('median')),
    spread(of('within10')),
    percent(median(of('within20'))),
    spread(of('mape')),
    of('readable').includes(null) ? '–' : spread(of('readable')),
    percent(median(of('alpha'))),
    spread(of('coverage')),
    `÷× ${Math.exp(median(of('halfWidth'))).toFixed(2)}`,
    percent(median(of('foreseen'))),
    date,
  ];
}

/** One line for each measurement that is not a row of the table. */
const LINES = {
  cost: (cost) => [
    `A fit of 10,000 network-like samples, choice between all forms and cross-validation included: ${fitCost(cost)}; model document ${cost.documentKb.toFixed(0)} kB`,
    `Predictions by that model: ${thousands(cost.layersPerSecond)} layers/s (${thousands(cost.layersPerCpuSecond)} per second of processor time), on one processor`,
  ],
  'kernel-cost': (cost) => [
    `A fit of 10,000 network-like samples with kernels, and a classifier that also learns from 49,802 labels: ${fitCost(cost)}; model document ${cost.documentKb.toFixed(0)} kB`,
    `Predictions by that model: ${thousands(cost.layersPerCpuSecond)} layers per second of processor time with the kernel given, ${thousands(cost.assumedLayersPerCpuSecond)} with the classifier`,
  ],
  'energy-cost': (cost) => [
    `A fit of 10,000 network-like samples all of which have energy (drawn power times time), for time and energy: ${fitCost(cost)}`,
  ],
  coefficients: ({ ours, theirs }) => {
    const six = ours.coefficients
      .map((group) => group.map((value) => value.toPrecision(3)).join(', '))
      .join('; ');
    const compared = theirs
      ? `scipy ${theirs.scipy} \`curve_fit\` beside it: ${theirs.ms.toFixed(1)} ms`
      : 'scipy was not there to compare with';
    return [
      `\`--loss absolute\` on the paper's data: β, γ, c = ${six} (1×1; others) in ${ours.ms.toFixed(1)} ms; ${compared}`,
    ];
  },
};
const fitCost = ({ fitSeconds, fitCpuSeconds, memoryMb }) =>
  `${fitSeconds.toFixed(0)} s (${fitCpuSeconds.toFixed(0)} s of processor time), ${memoryMb.toFixed(0)} MB`;

function section(results) {
  const header = ['data', 'chosen', 'median APE, %', 'within 10 %', 'within 20 %', 'MAPE, %', '`alpha-axes` median, %', '`alpha` median, %', 'coverage of 90 %', 'half-width', 'held-out estimate, %', 'measured']; // prettier-ignore
  const known = (names) => names.filter((name) => results[name]);
  const rows = known(Object.keys(ROWS)).map((row) => cells(row, results[row]));
  const notes = known(Object.keys(LINES)).flatMap((name) => {
    const { result, date, load } = results[name];
    return LINES[name](result).map((line) => `- ${line} (${date}, load ${load.map((l) => l.toFixed(1)).join('–')}).`); // prettier-ignore
  });
  const of = (key) => [...new Set(Object.values(results).map((one) => one[key]))].join('; ');
  return `## Models

Measured on ${of('machine')}; ${of('versions')}.
Splits by shape (20 % held out; the paper's data: five folds), \`auto\`, seeds ${SEEDS.join(', ')}: median (range). The settings of the models were chosen on other seeds.
"blind": without the number of processors of the device. Coverage and half-width are those of 90 % intervals, inside the domain.
Rows with \`kernels\`: the kernel is known of every sample, and given at prediction; \`assumed\`: named by the classifier at prediction.
Peers on the rows of random-kernels, all / 1,000 (Python, five folds; measured once for the design of the forms of kernels): random forest on the configuration (the
predictor of nn-Meter) 10.9 / 19.2 %, LightGBM 9.4 / 14.8 %, linear in multiply-adds and bytes 59 %.
"load" is that of the machine before a measurement and at its end.

${[header, header.map(() => '---'), ...rows].map((row) => `| ${row.join(' | ')} |`).join('\n')}

${notes.join('\n')}`;
}

async function write(file, text) {
  writeFileSync(file, await format(text, { ...(await resolveConfig(file)), filepath: file }));
}

if (missing().length > 0) {
  console.error(`the data ${missing().join(', ')} are missing next to the checkout: nothing to measure`);
  process.exit(1);
}
const names = process.argv.length > 2 ? process.argv.slice(2) : Object.keys(MEASUREMENTS);
for (const name of names) {
  if (MEASUREMENTS[name]) continue;
  console.error(
    `there is no measurement "${name}". The measurements are: ${Object.keys(MEASUREMENTS).join(', ')}`,
  );
  process.exit(1);
}
const version = JSON.parse(readFileSync(resolve(ROOT, 'package.json'), 'utf8')).version;
const results = existsSync(RESULTS) ? JSON.parse(readFileSync(RESULTS, 'utf8')) : {};
for (const name of names) {
  const before = loadavg()[0];
  const result = MEASUREMENTS[name]();
  console.error(name, JSON.stringify(result));
  results[name] = {
    date: new Date().toISOString().slice(0, 10),
    machine: `${cpus()[0].model.trim()} (${cpus().length} processors, shared with other work)`,
    versions: `Node ${process.versions.node}, alphaflops ${version}`,
    load: [before, loadavg()[0]],
    result,
  };
  await write(RESULTS, JSON.stringify(results));
  const page = existsSync(PAGE) ? readFileSync(PAGE, 'utf8') : '# Benchmarks\n';
  const [head, tail] = page.includes(BEGIN)
    ? [page.slice(0, page.indexOf(BEGIN)), page.slice(page.indexOf(END) + END.length)]
    : [`${page.trimEnd()}\n\n`, '\n'];
  await write(PAGE, `${head}${BEGIN}\n\n${section(results)}\n\n${END}${tail}`);
}
