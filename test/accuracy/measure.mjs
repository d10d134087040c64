// Measures the models on splits by shape, on the build and in plain processes, so that the times are those that users see.
//   node test/accuracy/measure.mjs error ROW SEED…     errors on held-out shapes, one JSON line per seed
//   node test/accuracy/measure.mjs cost                time and memory of a fit, rate of predictions
//   node test/accuracy/measure.mjs kernel-cost         the same with kernels and a classifier
//   node test/accuracy/measure.mjs energy-cost         time and memory of a fit of time and energy
//   node test/accuracy/measure.mjs energy SIZE SEED…   errors of energy from few samples beside SIZE of time
//   node test/accuracy/measure.mjs coefficients        least squares in ms of the paper's form
import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { specKey } from '@alphaflops/conv';
import { readAllSamples, readSpecs } from '@alphaflops/dataset';
import { compileModel, evaluate, fitModel, formNamed, timeSamples } from '@alphaflops/models';

const DATA = resolve(import.meta.dirname, '../../../shared/data');
const ORIGIN = { digest: '', codeVersion: '0', createdAt: '2026-01-01T00:00:00Z' };

/** Rows of the table: data, training size, and required bounds (shares, not percent). */
export const ROWS = {
  'random-all': { file: 'h100-random.csv', device: { smCount: 132 }, most: { median: 0.085, readable: 0.16 }, least: { within10: 0.55 } }, // prettier-ignore
  'random-1000': { file: 'h100-random.csv', device: { smCount: 132 }, size: 1000, most: { median: 0.13, readable: 0.17 }, least: { within10: 0.4 } }, // prettier-ignore
  'networklike-all': { file: 'h100-networklike.csv', device: { smCount: 132 }, most: { median: 0.1 }, least: { within10: 0.5 } }, // prettier-ignore
  'networklike-1000': { file: 'h100-networklike.csv', device: { smCount: 132 }, size: 1000, most: { median: 0.16 }, least: { within10: 0.33 } }, // prettier-ignore
  // Without the number of processors, as for users of a CSV file.
  'random-1000-blind': { file: 'h100-random.csv', device: {}, size: 1000, most: { median: 0.13, readable: 0.17 }, least: { within10: 0.4 } }, // prettier-ignore
  'random-kernels-all': { file: 'h100-random-kernels.csv', device: { smCount: 132 }, kernels: 'given', most: { median: 0.055, mape: 0.13 }, least: { within10: 0.67 } }, // prettier-ignore
  'random-kernels-1000': { file: 'h100-random-kernels.csv', device: { smCount: 132 }, kernels: 'given', size: 1000, most: { median: 0.098 }, least: { within10: 0.5 } }, // prettier-ignore
  'networklike-kernels-all': { file: 'h100-networklike-kernels.csv', device: { smCount: 132 }, kernels: 'given', most: { median: 0.063 }, least: { within10: 0.65 } }, // prettier-ignore
  'networklike-kernels-1000': { file: 'h100-networklike-kernels.csv', device: { smCount: 132 }, kernels: 'given', size: 1000, most: { median: 0.115 }, least: { within10: 0.45 } }, // prettier-ignore
  // The kernel is in the training samples and the labels, but not in the prediction.
  'random-kernels-assumed-all': { file: 'h100-random-kernels.csv', device: { smCount: 132 }, kernels: 'assumed', labels: 'h100-kernel-labels.csv', most: { median: 0.063 }, least: { within10: 0.63 } }, // prettier-ignore
  'f16-kernels-5-fold': { file: 'h100-random-f16-kernels.csv', device: { smCount: 132 }, kernels: 'given', folds: 5, most: { median: 0.095 }, least: {} }, // prettier-ignore
  'paper-5-fold': { file: 'asperti-2021-quadro-t2000.csv', device: { smCount: 16 }, folds: 5, most: { median: 0.06 }, least: {} }, // prettier-ignore
};

export const dataFile = (name) => resolve(DATA, name);
const ENERGY = 'h100-energy.csv';
export const missing = () =>
  [
    ...new Set([
      ...Object.values(ROWS).flatMap(({ file, labels }) => (labels ? [file, labels] : [file])),
      ENERGY,
    ]),
  ].filter((file) => !existsSync(dataFile(file)));

async function read(file) {
  const text = readFileSync(dataFile(file), 'utf8');
  // In the series increasing_batch of the data of the paper, the height is a batch size.
  const kept = text.split('\n').filter((line) => !line.startsWith('increasing_batch'));
  const rows = await readAllSamples(kept.join('\n'), file);
  return rows.map(({ spec, timeMs, extras }) => ({
    spec,
    timeMs,
    energyMillijoules: extras.energy_mj ?? null,
    kernel: extras.kernel ?? null,
  }));
}

/** Shapes with their kernels, without times. */
async function readLabels(file) {
  const labels = [];
  for await (const { spec, extras } of readSpecs(readFileSync(dataFile(file), 'utf8'), file)) {
    if (extras.kernel !== undefined) labels.push({ spec, kernel: extras.kernel });
  }
  return labels;
}

/** Fisher–Yates on a 32-bit xorshift. */
function shuffled(values, seed) {
  let x = Math.imul(seed + 1, 0x9e3779b1) >>> 0;
  const next = () => {
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    return (x >>> 0) / 2 ** 32;
  };
  for (let k = 0; k < 10; k++) next();
  const out = [...values];
  for (let i = out.length - 1; i > 0; i--) {
    const j = Math.floor(next() * (i + 1));
    [out[i], out[j]] = [out[j], out[i]];
  }
  return out;
}

/** Training and test samples; all samples of a shape are on one side. */
function splits(samples, { size, folds }, seed) {
  const keys = shuffled([...new Set(samples.map(({ spec }) => specKey(spec)))].sort(), seed);
  const part = (held) => {
    const apart = new Set(held);
    const training = samples.filter(({ spec }) => !apart.has(specKey(spec)));
    return {
      training: size ? shuffled(training, seed + 1000).slice(0, size) : training,
      test: samples.filter(({ spec }) => apart.has(specKey(spec))),
    };
  };
  if (!folds) return [part(keys.slice(0, Math.floor(0.2 * keys.length)))];
  return Array.from({ length: folds }, (_, f) => part(keys.filter((_, i) => i % folds === f)));
}

const median = (values) => [...values].sort((a, b) => a - b)[values.length >> 1];

/** Errors of one row for one seed, over all its test samples. */
async function errorOf(row, seed) {
  const { file, device, kernels, labels, ...split } = ROWS[row];
  const kernelLabels = labels ? await readLabels(labels) : [];
  const samples = await read(file);
  const [errors, readable, chosen, fits] = [[], [], [], []];
  let [inside, domain, tested] = [0, 0, 0];
  for (const { training, test } of splits(samples, split, seed)) {
    const model = fitModel(training, { device, kernelLabels, origin: ORIGIN });
    chosen.push(model.chosenForm);
    fits.push(model);
    const predict = compileModel(model);
    // Published in addition to a chosen form without readable parameters.
    const read = model.forms.some(({ form }) => form === 'alpha-axes') && compileModel(model, 'alpha-axes');
    for (const { spec, timeMs, kernel } of test) {
      const { predictedMs, lowerMs, upperMs, inDomain } = predict(spec, kernels === 'given' ? kernel : null);
      errors.push(Math.abs(predictedMs / timeMs - 1));
      if (read) readable.push(Math.abs(read(spec).predictedMs / timeMs - 1));
      tested += 1;
      if (inDomain) domain += 1;
      if (inDomain && lowerMs <= timeMs && timeMs <= upperMs) inside += 1;
    }
  }
  const share = (values, limit) => values.filter((value) => value <= limit).length / values.length;
  const heldOut = (formOf) =>
    median(fits.map((m) => m.forms.find(({ form }) => form === formOf(m)).heldOut.medianApe));
  return {
    row,
    seed,
    chosen: [...new Set(chosen)].join(),
    median: median(errors),
    within10: share(errors, 0.1),
    within20: share(errors, 0.2),
    mape: errors.reduce((sum, e) => sum + e, 0) / errors.length,
    // null: a readable form was chosen in some fold, and no other form is published.
    readable: readable.length === tested ? median(readable) : null,
    coverage: inside / domain,
    inDomain: domain / tested,
    halfWidth: median(fits.map(({ interval }) => interval.logHalfWidth)),
    foreseen: heldOut(({ chosenForm }) => chosenForm),
    alpha: heldOut(() => 'alpha'),
    flops: heldOut(() => 'flops'),
  };
}

/**
 * Errors of energy in five folds of the 66 shapes with energy, trained with the times of the other shapes and of
 * random shapes.
 */
async function energy(size, seed) {
  const samples = await read(ENERGY);
  const timed = shuffled(await read('h100-random.csv'), seed).slice(0, size);
  const [errors, flops, chosen] = [[], [], []];
  let inside = 0;
  for (const { training, test } of splits(samples, { folds: 5 }, seed)) {
    const model = fitModel([...training, ...timed], { device: { smCount: 132 }, origin: ORIGIN });
    const predict = compileModel(model);
    chosen.push(model.energy.chosenForm);
    flops.push(model.energy.forms.find(({ form }) => form === 'flops').heldOut.medianApe);
    for (const { spec, energyMillijoules } of test) {
      const { energyMillijoules: predicted, lowerEnergyMillijoules, upperEnergyMillijoules } = predict(spec);
      errors.push(Math.abs(predicted / energyMillijoules - 1));
      if (lowerEnergyMillijoules <= energyMillijoules && energyMillijoules <= upperEnergyMillijoules)
        inside += 1;
    }
  }
  return {
    seed,
    chosen: [...new Set(chosen)].join(),
    median: median(errors),
    within20: errors.filter((error) => error <= 0.2).length / errors.length,
    coverage: inside / errors.length,
    flops: median(flops),
  };
}

/** Returns the cost of a fit by `auto`, the model, and the memory of the process so far. */
function timedFit(training, kernelLabels = []) {
  const begin = { wall: performance.now(), cpu: process.cpuUsage() };
  const model = fitModel(training, { device: { smCount: 132 }, kernelLabels, origin: ORIGIN });
  const fitSeconds = (performance.now() - begin.wall) / 1000;
  const { user, system } = process.cpuUsage(begin.cpu);
  const memoryMb = process.resourceUsage().maxRSS / 1024;
  return { model, cost: { fitSeconds, fitCpuSeconds: (user + system) / 1e6, memoryMb } };
}

/** A fit of 10,000 samples, and predictions by its model. */
async function cost() {
  const samples = shuffled(await read('h100-networklike.csv'), 11);
  const { model, cost } = timedFit(samples.slice(0, 10_000));
  const predict = compileModel(model);
  let [wallRate, cpuRate] = [0, 0];
  for (let k = 0; k < 8; k++) {
    const [wall, cpu] = [performance.now(), process.cpuUsage()];
    for (const { spec } of samples) predict(spec);
    const { user, system } = process.cpuUsage(cpu);
    wallRate = Math.max(wallRate, samples.length / ((performance.now() - wall) / 1000));
    cpuRate = Math.max(cpuRate, samples.length / ((user + system) / 1e6));
  }
  return {
    ...cost,
    layersPerSecond: wallRate,
    layersPerCpuSecond: cpuRate,
    documentKb: JSON.stringify(model).length / 1024,
    chosen: model.chosenForm,
    heldOut: evaluate(model, samples.slice(10_000)).medianApe,
  };
}

const LAYERS_PER_RUN = 2000;

/**
 * The same with kernels and a classifier that is also trained on the labels. Predictions use given and assumed
 * kernels.
 */
async function kernelCost() {
  const samples = shuffled(await read('h100-networklike-kernels.csv'), 11);
  const { model, cost } = timedFit(samples.slice(0, 10_000), await readLabels('h100-kernel-labels.csv'));
  const predict = compileModel(model);
  // The fastest of many short runs, because other work on the machine also increases the processor time.
  const rateOf = (isGiven) => {
    let best = 0;
    for (let k = 0; k < 5; k++) {
      for (let from = 0; from + LAYERS_PER_RUN <= samples.length; from += LAYERS_PER_RUN) {
        const run = samples.slice(from, from + LAYERS_PER_RUN);
        const cpu = process.cpuUsage();
        for (const { spec, kernel } of run) predict(spec, isGiven ? kernel : null);
        const { user, system } = process.cpuUsage(cpu);
        best = Math.max(best, run.length / ((user + system) / 1e6));
      }
    }
    return best;
  };
  return {
    ...cost,
    layersPerCpuSecond: rateOf(true),
    assumedLayersPerCpuSecond: rateOf(false),
    documentKb: JSON.stringify(model).length / 1024,
    chosen: model.chosenForm,
    heldOut: evaluate(model, samples.slice(10_000)).medianApe,
  };
}

/** The same samples with energies. No data set has enough energies, so the power is random (between 130 and 700 W). */
async function energyCost() {
  const samples = shuffled(await read('h100-networklike.csv'), 11).slice(0, 10_000);
  const watts = shuffled(
    Array.from({ length: samples.length }, (_, i) => 130 + (570 * i) / samples.length),
    12,
  );
  const { cost } = timedFit(samples.map((one, i) => ({ ...one, energyMillijoules: watts[i] * one.timeMs })));
  return cost;
}

/** The form of the paper by ordinary least squares in ms, and the best time of several runs, as in curve_fit.py. */
async function coefficients(repeats = 50) {
  const samples = timeSamples(await read('asperti-2021-quadro-t2000.csv'));
  let [fit, ms] = [null, Infinity];
  for (let k = 0; k < repeats; k++) {
    const begin = performance.now();
    fit = formNamed('alpha').fit(samples, { seed: 1, loss: 'absolute', device: {} });
    ms = Math.min(ms, performance.now() - begin);
  }
  return { ms, coefficients: fit.groups.map(({ parameters }) => parameters.map(({ value }) => value)) };
}

if (process.argv[1] === import.meta.filename) {
  const [what, row, ...seeds] = process.argv.slice(2);
  if (what === 'cost') console.log(JSON.stringify(await cost()));
  else if (what === 'kernel-cost') console.log(JSON.stringify(await kernelCost()));
  else if (what === 'energy-cost') console.log(JSON.stringify(await energyCost()));
  else if (what === 'energy') {
    for (const seed of seeds) console.log(JSON.stringify(await energy(Number(row), Number(seed))));
  } else if (what === 'coefficients') console.log(JSON.stringify(await coefficients()));
  else for (const seed of seeds) console.log(JSON.stringify(await errorOf(row, Number(seed))));
}
