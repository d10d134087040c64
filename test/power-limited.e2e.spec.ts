/** A whole campaign on a fake GPU that is always at its power limit, like a T4 under load. */
import type { components } from '@alphaflops/api-client';
import { CONV_SPEC_DEFAULTS, type ConvSpec } from '@alphaflops/conv';
import { writeSpecs } from '@alphaflops/dataset';
import { buildFakeGpu } from '@alphaflops/nvidia/testing';
import { Stack, until } from './support/stack.js';

type Sample = components['schemas']['Sample'];

const gpu = buildFakeGpu();
if (gpu === null) it.skip('gcc is not installed: the fake GPU cannot be built', () => undefined);
const MAX_CLOCK_MHZ = 1590;
const SPECS: ConvSpec[] = Array.from({ length: 10 }, (_, i) => ({
  ...CONV_SPEC_DEFAULTS,
  ...{ height: 6 + i, width: 7, cin: 3, cout: 4, kernel_h: 3, kernel_w: 3 },
}));

let stack: Stack;
beforeAll(async () => {
  const libraries = { LD_LIBRARY_PATH: (gpu?.libraryPath ?? []).join(':'), FAKE_GPU_FAULT: 't4' };
  stack = await Stack.start({
    ...libraries,
    ...{ CUDA_VISIBLE_DEVICES: '0', ALPHAFLOPS_KERNEL_MAP_SHAPES: '300' },
  });
  stack.startWorker(await stack.enrol('t4', 'cudnn'), {}, ['--anchors', '0']);
}, 60_000);
afterAll(async () => {
  await stack.stop();
  gpu?.remove();
}, 60_000);

(gpu === null ? it.skip : it).each(['gpu', 'gpu-cold'])(
  'gives good samples under protocol %s, each with its clock',
  async (protocol) => {
    const { data: devices } = await stack.api.GET('/v1/devices');
    const device = devices?.items.find(({ sku }) => sku === 'Fake T4');
    const pieces: string[] = [];
    for await (const piece of writeSpecs(SPECS)) pieces.push(piece);
    const { data: campaign } = await stack.api.POST('/v1/campaigns', {
      body: {
        name: protocol,
        design: { name: 'csv', csv: pieces.join('') },
        target: { kind: 'device-class', deviceClassId: device?.deviceClassId ?? '' },
        budget: { specs: SPECS.length },
        fit: { form: 'flops' },
        protocol,
      },
    });
    const path = { id: campaign?.id ?? '' };
    const { data: ended } = await until(
      () => stack.api.GET('/v1/campaigns/{id}', { params: { path } }),
      (answer) => ['completed', 'failed'].includes(answer.data?.state ?? ''),
    );
    expect(ended).toMatchObject({ state: 'completed' });
    const { data } = await stack.api.GET('/v1/samples', { params: { query: { campaignId: path.id } } });
    const samples: Sample[] = data?.items ?? [];
    expect(samples).toHaveLength(SPECS.length);
    for (const { outcome, powerLimited, timing, conditions } of samples) {
      expect({ outcome, powerLimited }).toEqual({ outcome: 'ok', powerLimited: true });
      expect(conditions?.before.throttleReasons).toEqual(['sw-power-cap']);
      const { medianMhz, minMhz, maxMhz } = timing?.batchClocks ?? { medianMhz: 0, minMhz: 0, maxMhz: 0 };
      expect(minMhz).toBeGreaterThanOrEqual(0.55 * MAX_CLOCK_MHZ);
      expect(maxMhz).toBeLessThanOrEqual(0.7 * MAX_CLOCK_MHZ);
      // The clock is read at every batch, not only before and after.
      expect(minMhz).toBeLessThan(medianMhz);
      expect(medianMhz).toBeLessThan(maxMhz);
    }
  },
  60_000,
);

(gpu === null ? it.skip : it)(
  'gets the kernel map of its class, which a worker made without measuring',
  async () => {
    const { data: maps } = await until(
      () => stack.api.GET('/v1/kernel-maps'),
      (answer) => (answer.data?.items.length ?? 0) > 0,
    );
    const [map] = maps?.items ?? [];
    expect(map).toMatchObject({ cudnnVersion: '9.19.0', heuristicMode: 'instant', mathMode: 'tf32' });
    expect(map?.shapes).toBeGreaterThan(100);
    const params = { path: { id: map?.id ?? '' } };
    const { data: csv } = await stack.api.GET('/v1/kernel-maps/{id}/labels', { params, parseAs: 'text' });
    const [header, first] = (csv ?? '').split('\n', 2);
    expect(header).toMatch(/^batch,height,.*,kernel$/);
    expect(first).toMatch(/,eng\d+/);
  },
  60_000,
);
