/** Measurements in addition to the time: energy, leases of GPUs, several devices, drift. On the executor fake-gpu. */
import { once } from 'node:events';
import { realpathSync } from 'node:fs';
import type { components } from '@alphaflops/api-client';
import { CONV_SPEC_DEFAULTS, type ConvSpec } from '@alphaflops/conv';
import { readAllSamples, writeSpecs } from '@alphaflops/dataset';
import { FAKE_POWER_W, fakeGpuUuid, fakeSpec, fakeTimeMs } from '@alphaflops/executor/testing';
import { end, type Running, Stack, until } from './support/stack.js';

type Sample = components['schemas']['Sample'];

const SPECS: ConvSpec[] = Array.from({ length: 12 }, (_, i) => ({
  ...CONV_SPEC_DEFAULTS,
  ...{ height: 8, width: 8, cin: 8, cout: i + 1, kernel_h: 3, kernel_w: 3 },
}));

let stack: Stack;
let credentials: string;
let worker: Running;
beforeAll(async () => {
  stack = await Stack.start({ ALPHAFLOPS_BATCH_SPECS: '2' });
  credentials = await stack.enrol('gpus', 'fake-gpu');
  worker = await working('--anchors', '8', '--anchors-every', '3');
}, 60_000);
afterAll(async () => {
  await stack.stop();
}, 60_000);

async function working(...options: string[]): Promise<Running> {
  const started = stack.startWorker(credentials, {}, options);
  await until(
    () => Promise.resolve(started.output()),
    (output) => output.includes('taking batches'),
  );
  return started;
}

async function campaign(
  specs: readonly ConvSpec[],
  target: 'class' | 'devices',
  energy = false,
): Promise<string> {
  const pieces: string[] = [];
  for await (const piece of writeSpecs(specs)) pieces.push(piece);
  const { data: devices } = await stack.api.GET('/v1/devices');
  const [device] = devices?.items ?? [];
  const { data } = await stack.api.POST('/v1/campaigns', {
    body: {
      name: 'measuring',
      design: { name: 'csv', csv: pieces.join('') },
      target:
        target === 'class'
          ? { kind: 'device-class', deviceClassId: device?.deviceClassId ?? '' }
          : { kind: 'devices', deviceIds: devices?.items.map(({ id }) => id) ?? [] },
      budget: { specs: specs.length },
      fit: { form: 'flops' },
      energy,
    },
  });
  return data?.id ?? '';
}

/** Returns the samples of a campaign after its end. */
async function completed(id: string): Promise<Sample[]> {
  const { data } = await until(
    () => stack.api.GET('/v1/campaigns/{id}', { params: { path: { id } } }),
    (answer) => ['completed', 'failed'].includes(answer.data?.state ?? ''),
  );
  expect(data).toMatchObject({ state: 'completed' });
  return (await streamed(`campaignId=${id}`))
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Sample);
}

async function streamed(query: string): Promise<string> {
  const headers = { authorization: `Bearer ${stack.token}` };
  return await (await fetch(`${stack.url}/v1/samples/stream?${query}`, { headers })).text();
}

it('measures energy when a campaign requests it, on every device, and exports it', async () => {
  const id = await campaign(SPECS, 'devices', true);
  const samples = await completed(id);
  expect(samples).toHaveLength(2 * SPECS.length);
  expect(new Set(samples.map(({ deviceId }) => deviceId)).size).toBe(2);
  for (const { spec, timing } of samples) {
    expect(timing?.energyMillijoules).toBeCloseTo(FAKE_POWER_W.busy * fakeTimeMs(spec), 6);
    expect(timing?.energy).toMatchObject({ measured: true, doubt: null });
  }
  const rows = await readAllSamples(await streamed(`campaignId=${id}&format=csv`), 'csv');
  expect(rows.map(({ extras }) => extras.energy_mj).sort()).toEqual(
    samples.map(({ timing }) => timing?.energyMillijoules).sort(),
  );
  expect(worker.output()).not.toContain('has drifted');
}, 60_000);

it('drives several devices at the same time, one batch at a time on each', async () => {
  const slow = Array.from({ length: 4 }, (_, i) => fakeSpec('slow', { width: 400, cin: i + 1 }));
  const samples = await completed(await campaign(slow, 'devices'));
  const spans = (index: number) => {
    const ids = [...new Set(samples.map(({ deviceId }) => deviceId))].sort();
    return samples
      .filter(({ deviceId }) => deviceId === ids[index])
      .map(({ startedAt }) => Date.parse(startedAt))
      .sort((a, b) => a - b);
  };
  const [first, second] = [spans(0), spans(1)];
  for (const starts of [first, second]) {
    expect(starts).toHaveLength(4);
    // Each takes 400 ms, and the next one of its device begins after it. The worker notes the time of a start once it has read the
    // answer before, which it may do late: then the distance to the next start is shorter.
    for (let i = 1; i < 4; i++) expect((starts[i] ?? 0) - (starts[i - 1] ?? 0)).toBeGreaterThanOrEqual(300);
  }
  // Each device begins before the other has ended.
  expect(first[0]).toBeLessThan((second[3] ?? 0) + 400);
  expect(second[0]).toBeLessThan((first[3] ?? 0) + 400);
}, 60_000);

it('measures again what a device measured before it was found to have drifted', async () => {
  // In the middle, each device becomes a quarter slower, and again each time that this spec is measured again. It is in
  // the fourth of seven batches, and anchors come after every third.
  const specs = [...SPECS.slice(0, 6), fakeSpec('slow-down'), ...SPECS.slice(6)];
  const samples = await completed(await campaign(specs, 'devices'));
  const slotOf = ({ targetId, specIndex }: Sample) => `${targetId} ${specIndex}`;
  const counted = new Map(samples.filter(({ outcome }) => outcome === 'ok').map((one) => [slotOf(one), one]));
  const drifted = samples.filter(({ outcome }) => outcome === 'drifted');
  expect(counted.size).toBe(2 * specs.length);
  expect(samples).toHaveLength(counted.size + drifted.length);
  expect(new Set(drifted.map(({ targetId }) => targetId)).size).toBe(2);
  for (const sample of drifted) {
    const { id, reason, setAside, timing, specIndex, startedAt } = sample;
    expect(id).toMatch(new RegExp(`\\.s${specIndex}\\.r0\\.d${setAside ?? 0}$`));
    expect(reason).toMatch(/the anchors of .* took \d\d\.\d % more time/);
    expect(timing).not.toBeNull();
    const now = counted.get(slotOf(sample));
    expect(Date.parse(now?.startedAt ?? '')).toBeGreaterThan(Date.parse(startedAt));
  }
  expect(worker.output()).toContain('The device has drifted');
}, 60_000);

it('excludes a second worker from its GPUs, and the next one can use them as soon as the first is killed', async () => {
  // Another worker of this machine, with the same GPUs.
  const second = stack.startWorker(await stack.enrol('others', 'fake-gpu'), {}, [], false);
  const [code] = (await once(second.child, 'exit')) as [number];
  expect(code).toBe(1);
  expect(second.output()).toContain(
    `${fakeGpuUuid(0, realpathSync(stack.directory))} is in use by process ${worker.child.pid ?? 0}, another worker of this machine`,
  );
  await end(worker.child, 'SIGKILL');
  await working();
}, 60_000);

it('keeps the idle power of GPUs with their provenance', async () => {
  const { data } = await stack.api.GET('/v1/devices');
  expect(data?.items).toHaveLength(2);
  for (const { provenanceId } of data?.items ?? []) {
    const at = { params: { path: { id: provenanceId } } };
    const { data: provenance } = await stack.api.GET('/v1/provenance/{id}', at);
    expect(provenance?.device).toMatchObject({ idlePowerW: FAKE_POWER_W.idle });
  }
}, 60_000);
