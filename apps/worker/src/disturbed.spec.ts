import type { Measurement } from '@alphaflops/contracts';
import { CONV_SPEC_DEFAULTS } from '@alphaflops/conv';
import { protocolNamed } from '@alphaflops/measure';
import { Disturbed } from './disturbed.js';
import type { Log } from './log.js';

const spec = { ...CONV_SPEC_DEFAULTS, height: 8, width: 8, cin: 4, cout: 4, kernel_h: 3, kernel_w: 3 };
const { signal } = new AbortController();

function measured(outcome: 'ok' | 'noisy', disturbance?: number | null): Measurement {
  const after = disturbance === undefined ? {} : { disturbance };
  return { outcome, conditions: { before: {}, after } } as unknown as Measurement;
}

function watched(protocol = 'cpu') {
  const lines: string[] = [];
  const log = { warn: (text: string) => lines.push(text), info: (text: string) => lines.push(text) };
  let next = measured('ok', 0);
  const measurer = {
    async *measureEach(specs: readonly unknown[]) {
      for (let i = 0; i < specs.length; i++) yield await Promise.resolve(next);
    },
  };
  const disturbed = new Disturbed(measurer, log as unknown as Log);
  const measure = async (measurement: Measurement, times = 1) => {
    next = measurement;
    const specs = Array.from({ length: times }, () => spec);
    const given: Measurement[] = [];
    for await (const one of disturbed.measureEach(specs, protocolNamed(protocol), signal)) given.push(one);
    expect(given).toHaveLength(times);
  };
  return { disturbed, measure, lines };
}

it('reports once that the disturbance lasts, and once that it is over', async () => {
  const { disturbed, measure, lines } = watched();
  await measure(measured('noisy', 0.6), 4);
  expect(disturbed.reason).toBeNull();
  await measure(measured('noisy', 0.6), 20);
  expect(disturbed.reason).toMatch(/slow it down by 60 % or more/);
  await measure(measured('ok', 0.02), 3);
  expect(disturbed.reason).toBeNull();
  expect(lines).toEqual([
    expect.stringMatching(/^This machine stays disturbed: other programs slow it down/),
    'the disturbance is over',
  ]);
});

it('detects a machine that was never quiet', async () => {
  const { disturbed, measure } = watched();
  await measure(measured('noisy', null), 5);
  expect(disturbed.reason).toMatch(/use this machine all the time/);
});

it('reports nothing if samples are noisy for another reason, or if nothing is watched', async () => {
  const { disturbed, measure } = watched();
  await measure(measured('noisy', 0.01), 10);
  await measure(measured('noisy'), 10);
  expect(disturbed.reason).toBeNull();
  const quick = watched('quick-cpu');
  await quick.measure(measured('noisy', 0.6), 10);
  expect(quick.disturbed.reason).toBeNull();
});
