// Checks executor cudnn on a machine with a GPU against measurements of an H100, within a time limit:
//   run.sh [--out FOLDER] [--limit-s 450] [--library-path FOLDERS] [--only CHECK …]
// Prints the results and writes them to FOLDER/gpu-check.json. The exit code is 1 when a required check fails. The
// goals that compare times hold only for the GPU model of the data.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Deployment, pytorchHere } from './campaign.mjs';
import { runSuite } from './tiny-runner.mjs';
import { checkOutput, ExecutorHost, measureSpec, systemClock } from '@alphaflops/executor';
import { executorConformance } from '@alphaflops/executor/testing';
import { createExecutor, CUDNN_EXECUTORS } from '@alphaflops/executor-cudnn';
import { measureEnergy, protocolNamed } from '@alphaflops/measure';
import { Library, Nvml } from '@alphaflops/nvidia';

const { values: args } = parseArgs({
  options: {
    out: { type: 'string', default: '.' },
    'limit-s': { type: 'string', default: '450' },
    'library-path': { type: 'string', default: process.env.LD_LIBRARY_PATH ?? '' },
    only: { type: 'string', multiple: true },
  },
});
const startedMs = performance.now();
const limitMs = 1000 * Number(args['limit-s']);
const leftMs = () => limitMs - (performance.now() - startedMs);
const settings = { libraryPath: args['library-path'].split(':').filter((folder) => folder !== '') };
const gpu = protocolNamed('gpu');
const PYTORCH_SHAPES = 200;
const report = { startedAt: new Date().toISOString(), node: process.version, failures: [] };

const probed = await createExecutor('cudnn', settings).probe();
if (!probed.ok) {
  console.log(`executor cudnn does not work here: ${probed.reason}`);
  process.exit(1);
}
report.device = probed.devices[0].provenance;
const { uuid, sku } = probed.devices[0];
console.log(`${sku}: ${JSON.stringify(report.device.libraries)}, driver ${report.device.device.driver}`);

const CHECKS = [conformance, everyPrecision, times, campaign, energy, ownProcess, coldAndFind];
const unknown = (args.only ?? []).filter((name) => !CHECKS.some((check) => check.name === name));
if (unknown.length > 0) {
  console.error(`There is no check ${unknown.join(', ')}: ${CHECKS.map(({ name }) => name).join(', ')}.`);
  process.exit(2);
}
/** Each check writes its part of the report. A check that throws counts as a failure, and the other checks continue. */
for (const check of CHECKS.filter(({ name }) => args.only?.includes(name) ?? true)) {
  const beganMs = performance.now();
  try {
    report[check.name] = await check();
  } catch (error) {
    report.failures.push(`${check.name}: ${String(error?.stack ?? error).slice(0, 1500)}`);
  }
  const seconds = ((performance.now() - beganMs) / 1000).toFixed(1);
  console.log(`${check.name} (${seconds} s): ${JSON.stringify(report[check.name], null, 1)}`);
}
for (const failure of report.failures) console.log(`FAILED ${failure}`);
mkdirSync(args.out, { recursive: true });
writeFileSync(join(args.out, 'gpu-check.json'), `${JSON.stringify(report, null, 2)}\n`);
process.exit(report.failures.length === 0 ? 0 : 1);

async function conformance() {
  const results = {};
  for (const name of CUDNN_EXECUTORS) {
    const { passed, failures } = await runSuite(() => {
      executorConformance({
        createExecutor: () => createExecutor(name, settings),
        unsupported: [],
        huge: { ...layer(), height: 1_048_576, width: 1_048_576 },
        grouped: 'computed',
      });
    });
    for (const { title, message } of failures) report.failures.push(`${name}: ${title}: ${message}`);
    results[name] = { passed, failed: failures.length };
  }
  return results;
}

async function everyPrecision() {
  const counts = { right: 0, unsupported: [] };
  await withSession('cudnn', settings, async (session) => {
    for (const dtype of ['f32', 'f16', 'bf16']) {
      for (const layout of ['NCHW', 'NHWC']) {
        for (const changes of [
          {},
          { kernel_h: 2, kernel_w: 4 },
          { groups: 8 },
          { groups: 64 },
          { stride: 2, batch: 2 },
        ]) {
          const spec = layer({ dtype, layout, ...changes });
          const what = JSON.stringify({ dtype, layout, ...changes });
          const prepared = await session.prepare(spec, { seed: 1, mode: 'hot' });
          if (!prepared.ok) counts.unsupported.push(`${what}: ${prepared.reason}`);
          else {
            const check = await checkOutput(spec, prepared.conv);
            await prepared.conv.dispose();
            if (check.ok) counts.right += 1;
            else report.failures.push(`${what}: ${check.reason}`);
          }
        }
      }
    }
  });
  return counts;
}

/**
 * Goal: on the same GPU and cuDNN, all kernels are those of the data, the median is within 3 % of the data, 10 to 90
 * % of shapes are within 6 %, and the rate is 50 shapes per second.
 */
async function times() {
  const rows = readRows('h100-random.csv');
  const ratios = [];
  const uneven = [];
  const planBuildMs = [];
  const outcomes = {};
  const kernels = { asInData: 0, others: 0 };
  const beganMs = performance.now();
  await withSession('cudnn', settings, async (session) => {
    for (const { spec, time_ms, kernel } of rows) {
      if (leftMs() < 120_000) break;
      const measurement = await measureSpec(session, spec, gpu, systemClock);
      outcomes[measurement.outcome] = (outcomes[measurement.outcome] ?? 0) + 1;
      if (measurement.outcome !== 'ok') continue;
      const ratio = measurement.timing.timeMs / time_ms;
      planBuildMs.push(measurement.kernel.planBuildMs);
      // PyTorch pads the input before even kernels. cuDNN receives a padding for each side.
      if (spec.kernel_h % 2 === 0 || spec.kernel_w % 2 === 0) uneven.push(ratio);
      else {
        ratios.push(ratio);
        if (kernel !== undefined) kernels[kernel === measurement.kernel.name ? 'asInData' : 'others'] += 1;
      }
    }
  });
  const done = Object.values(outcomes).reduce((sum, n) => sum + n, 0);
  const shapesPerS = done / ((performance.now() - beganMs) / 1000);
  const padding = { evenPadding: quantiles(ratios), unevenPadding: quantiles(uneven) };
  return { outcomes, shapesPerS, ...padding, planBuildMs: quantiles(planBuildMs), kernels };
}

/**
 * Measures the cost of queue, child process and store: 1,000 shapes in a whole deployment, and in a bare loop before
 * and after. Goal: 1.05 times the loop. Then measures the first shapes with PyTorch, if it is installed, and compares
 * both.
 */
async function campaign() {
  const specs = readRows('h100-campaign.csv').map(({ spec }) => spec);
  const csv = readFileSync(join(import.meta.dirname, 'h100-campaign.csv'), 'utf8');
  const bareLoopMs = () =>
    withSession('cudnn', settings, async (session) => {
      await measureSpec(session, specs[0], gpu, systemClock);
      const beganMs = performance.now();
      for (const spec of specs) await measureSpec(session, spec, gpu, systemClock);
      return performance.now() - beganMs;
    });
  const pytorch = await pytorchHere();
  const deployment = new Deployment(args['library-path']);
  try {
    await deployment.start({ withPytorch: pytorch.ok });
    // A first campaign does the work that occurs only once, such as the start of the executor process.
    await deployment.campaign('warm-up', 'cudnn', rowsOf(csv, 10));
    const bareMs = [await bareLoopMs()];
    const { id, wallMs, outcomes } = await deployment.campaign('cudnn', 'cudnn', csv);
    bareMs.push(await bareLoopMs());
    const ratio = wallMs / ((bareMs[0] + bareMs[1]) / 2);
    const result = { shapes: specs.length, outcomes, bareMs, wallMs, ratio };
    if (!pytorch.ok) return { ...result, pytorch: pytorch.reason };
    const other = await deployment.campaign('PyTorch', 'process', rowsOf(csv, PYTORCH_SHAPES));
    const { ratios } = await deployment.compare(other.id, id);
    return {
      ...result,
      pytorch: { outcomes: other.outcomes, wallMs: other.wallMs, cudnnOverPytorch: ratios },
    };
  } finally {
    await deployment.stop();
  }
}

/** Returns the header and the first rows of a CSV. */
function rowsOf(csv, count) {
  return `${csv
    .split('\n')
    .slice(0, count + 1)
    .join('\n')}\n`;
}

/** Goal: within 5 % in the median. */
async function energy() {
  const ratios = [];
  const crossChecks = [];
  const reasons = [];
  const nvml = new Nvml(Library.find('libnvidia-ml.so.1', settings.libraryPath));
  const device = nvml.deviceWithUuid(uuid);
  const readMeter = () => ({
    energyMillijoules: nvml.totalEnergyMillijoules(device),
    powerW: nvml.powerNowW(device),
  });
  await withSession('cudnn', settings, async (session) => {
    for (const { spec, energy_mj } of readRows('h100-energy.csv')) {
      if (leftMs() < 90_000) break;
      const prepared = await session.prepare(spec, { seed: 1, mode: 'hot' });
      if (!prepared.ok) continue;
      await prepared.conv.timeBatchMs(10);
      const run = prepared.conv.runBackToBack.bind(prepared.conv);
      const reading = await measureEnergy(readMeter, run, 1000, () => performance.now());
      await prepared.conv.dispose();
      if (!reading.ok) reasons.push(reading.reason);
      else {
        ratios.push(reading.energyMillijoules / energy_mj);
        if (reading.integratedMillijoules !== null)
          crossChecks.push(reading.integratedMillijoules / reading.energyMillijoules);
      }
    }
  });
  return {
    ratio: quantiles(ratios),
    integratedOverCounter: quantiles(crossChecks),
    reasons: reasons.slice(0, 3),
  };
}

/** Measures the cost of the separate process: the same shapes in this process and through ExecutorHost. */
async function ownProcess() {
  const specs = readRows('h100-random.csv')
    .slice(0, 100)
    .map(({ spec }) => spec);
  let bareMs = 0;
  await withSession('cudnn', settings, async (session) => {
    await measureSpec(session, specs[0], gpu, systemClock);
    const beganMs = performance.now();
    for (const spec of specs) await measureSpec(session, spec, gpu, systemClock);
    bareMs = performance.now() - beganMs;
  });
  const host = new ExecutorHost({
    module: '@alphaflops/executor-cudnn',
    executor: 'cudnn',
    settings,
    deviceUuid: uuid,
  });
  await host.measure(specs[0], gpu);
  const beganMs = performance.now();
  for (const spec of specs) await host.measure(spec, gpu);
  const hostMs = performance.now() - beganMs;
  await host.close();
  return { shapes: specs.length, bareMs, hostMs, ratio: hostMs / bareMs };
}

async function coldAndFind() {
  const specs = readRows('h100-random.csv')
    .slice(0, 20)
    .map(({ spec }) => spec);
  const timed = async (choice, protocol) => {
    const found = [];
    await withSession('cudnn', { ...settings, ...choice }, async (session) => {
      for (const spec of specs) {
        const { outcome, timing } = await measureSpec(session, spec, protocol, systemClock);
        found.push(outcome === 'ok' ? timing : null);
      }
    });
    return found;
  };
  const hot = await timed({}, gpu);
  const ratio = (others) =>
    quantiles(others.flatMap((other, at) => (other && hot[at] ? [other.timeMs / hot[at].timeMs] : [])));
  return {
    eagerOverHot: quantiles(hot.flatMap((timing) => (timing ? [timing.eagerMs / timing.timeMs] : []))),
    coldOverHot: ratio(await timed({}, protocolNamed('gpu-cold'))),
    findOverHeuristic: ratio(await timed({ find: true }, gpu)),
  };
}

async function withSession(name, options, work) {
  const session = await createExecutor(name, options).open(uuid);
  try {
    return await work(session);
  } finally {
    await session.dispose();
  }
}

function layer(changes = {}) {
  const shape = {
    batch: 1,
    height: 56,
    width: 56,
    cin: 64,
    cout: 64,
    kernel_h: 3,
    kernel_w: 3,
    stride: 1,
    groups: 1,
  };
  return { ...shape, dtype: 'f32', padding: 'same', layout: 'NCHW', ...changes };
}

function readRows(name) {
  const [header, ...lines] = readFileSync(join(import.meta.dirname, name), 'utf8')
    .trimEnd()
    .split('\n');
  const columns = header.split(',');
  return lines.map((line) => {
    const row = Object.fromEntries(line.split(',').map((cell, at) => [columns[at], cell]));
    const axes = ['batch', 'height', 'width', 'cin', 'cout', 'kernel_h', 'kernel_w', 'stride', 'groups'];
    const spec = { ...Object.fromEntries(axes.map((axis) => [axis, Number(row[axis])])), dtype: row.dtype };
    return {
      spec: { ...spec, padding: 'same', layout: 'NCHW' },
      time_ms: Number(row.time_ms),
      energy_mj: Number(row.energy_mj),
      kernel: row.kernel,
    };
  });
}

function quantiles(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (share) => Number((sorted[Math.floor(share * (sorted.length - 1))] ?? NaN).toPrecision(4));
  return { n: sorted.length, p10: at(0.1), median: at(0.5), p90: at(0.9) };
}
