// Measures the errors of sums over the layers of a network, for the correlation of docs/models.md ("Whole networks").
// Network-like shapes of an H100: a model of one half of them predicts the other half. The data contain no measured
// layers of real networks, so a network consists of the held-out shapes nearest to its layers, five random draws per batch.
//   node test/accuracy/totals.mjs SEED…       one JSON line per seed, then how many networks an interval covers by correlation
import { readFileSync } from 'node:fs';
import { specKey } from '@alphaflops/conv';
import { readAllSamples } from '@alphaflops/dataset';
import { compileModel, fitModel } from '@alphaflops/models';
import { readNetwork } from '@alphaflops/networks';
import * as files from '@alphaflops/networks/testing';
import { dataFile } from './measure.mjs';

const DATA = 'h100-networklike.csv';
const NETWORKS = { resnet50: files.resNet50(), vgg16: files.vgg16(), mobilenetv2: files.mobileNetV2() };
const BATCHES = [1, 2, 4, 8, 16, 32];
const [DRAWS, NEAREST] = [5, 4];
const ORIGIN = { digest: '', codeVersion: '0', createdAt: '2026-01-01T00:00:00Z' };

/** 32-bit xorshift. */
function randomOf(seed) {
  let x = Math.imul(seed + 1, 0x9e3779b1) >>> 0;
  const next = () => {
    x ^= x << 13;
    x ^= x >>> 17;
    x = (x ^ (x << 5)) >>> 0;
    return x / 2 ** 32;
  };
  for (let k = 0; k < 20; k++) next();
  return next;
}

const kindOf = ({ groups, cin }) => (groups === 1 ? 'plain' : groups === cin ? 'depthwise' : 'grouped');
const doubling = (size) => Math.round(Math.log2(size));
const family = (s) => [s.kernel_h, kindOf(s), s.dtype, s.stride].join();
const cell = (s) => [family(s), s.batch, ...[s.height, s.cin, s.cout].map(doubling)].join();

/**
 * Mean product of two residuals of a group, divided by the mean square of one residual. Residuals are in half-widths,
 * limited to two.
 */
function correlationWithin(tested, groupOf) {
  const groups = new Map();
  for (const { spec, error, width } of tested) {
    const name = groupOf(spec);
    const residual = Math.max(-2, Math.min(2, error / width));
    groups.set(name, groups.get(name) ?? []);
    groups.get(name).push(residual);
  }
  let [products, pairs, squares] = [0, 0, 0];
  for (const values of groups.values()) {
    const own = values.reduce((sum, value) => sum + value ** 2, 0);
    products += values.reduce((sum, value) => sum + value, 0) ** 2 - own;
    pairs += values.length * (values.length - 1);
    squares += own;
  }
  return products / pairs / (squares / tested.length);
}

/**
 * Returns the held-out shape that represents a layer: one of the nearest shapes, in doublings, with the same batch
 * and kernel.
 */
function standIn(tested, layer, random) {
  const alike = ({ spec }) =>
    ['batch', 'dtype', 'kernel_h'].every((axis) => spec[axis] === layer[axis]) &&
    kindOf(spec) === kindOf(layer);
  const distance = ({ spec }) =>
    ['height', 'cin', 'cout', 'stride'].reduce(
      (sum, axis) => sum + Math.log2(spec[axis] / layer[axis]) ** 2,
      0,
    );
  const nearest = tested
    .filter(alike)
    .map((one) => [distance(one), one])
    .sort(([a], [b]) => a - b);
  return nearest[Math.floor(random() * Math.min(NEAREST, nearest.length))][1];
}

/**
 * Returns the log error of the sum, and its half-width for fully correlated errors (`together`) and for independent
 * errors.
 */
function sumOf(layers, tested, random) {
  const chosen = new Map();
  for (const layer of layers) {
    const key = specKey(layer);
    const known = chosen.get(key) ?? { times: 0, one: standIn(tested, layer, random) };
    chosen.set(key, { ...known, times: known.times + 1 });
  }
  const parts = [...chosen.values()].map(({ times, one }) => ({
    measured: times * one.timeMs,
    predicted: times * one.predictedMs,
    uncertain: times * one.predictedMs * one.width,
  }));
  const total = (of) => parts.reduce((sum, part) => sum + of(part), 0);
  const predicted = total((part) => part.predicted);
  return {
    error: Math.log(total((part) => part.measured) / predicted),
    together: total((part) => part.uncertain) / predicted,
    apart: Math.sqrt(total((part) => part.uncertain ** 2)) / predicted,
  };
}

async function run(seed) {
  const random = randomOf(seed);
  const samples = await readAllSamples(readFileSync(dataFile(DATA), 'utf8'), DATA);
  const keys = [...new Set(samples.map(({ spec }) => specKey(spec)))].sort();
  const held = new Set(keys.filter(() => random() < 0.5));
  const isHeld = ({ spec }) => held.has(specKey(spec));
  const training = samples.filter((sample) => !isHeld(sample));
  const predict = compileModel(
    fitModel(
      training.map(({ spec, timeMs }) => ({ spec, timeMs })),
      { device: { smCount: 132 }, origin: ORIGIN },
    ),
  );
  const tested = samples.filter(isHeld).map(({ spec, timeMs }) => {
    const { predictedMs, upperMs } = predict(spec);
    const [error, width] = [Math.log(timeMs / predictedMs), Math.log(upperMs / predictedMs)];
    return { spec, timeMs, predictedMs, error, width };
  });
  const sums = [];
  for (const [network, file] of Object.entries(NETWORKS)) {
    for (const batch of BATCHES) {
      const { layers } = readNetwork(files.onnxFile(file), { batch });
      const convolutions = layers.map(({ spec }) => spec).filter(({ height }) => height > 1);
      for (let draw = 0; draw < DRAWS; draw++) {
        sums.push({ network, batch, ...sumOf(convolutions, tested, random) });
      }
    }
  }
  const correlation = {
    any: correlationWithin(tested, () => ''),
    family: correlationWithin(tested, family),
    cell: correlationWithin(tested, cell),
  };
  return { seed, correlation, sums };
}

const runs = [];
for (const seed of process.argv.slice(2).map(Number)) {
  runs.push(await run(seed));
  console.log(JSON.stringify(runs.at(-1)));
}
const sums = runs.flatMap((one) => one.sums);
for (const correlation of [0, 0.1, 0.2, 0.3, 0.4, 0.6, 1]) {
  const isInside = ({ error, together, apart }) =>
    Math.abs(error) <= Math.sqrt(correlation * together ** 2 + (1 - correlation) * apart ** 2);
  const share = (some) => `${((100 * some.filter(isInside).length) / some.length).toFixed(1)} %`;
  const each = Object.keys(NETWORKS).map((name) => share(sums.filter(({ network }) => network === name)));
  console.log(`correlation ${correlation}: ${share(sums)} inside (${each.join(', ')})`);
}
