import { MeasurementSchema } from '@alphaflops/contracts';
import { CONV_SPEC_DEFAULTS, type ConvSpec, macs } from '@alphaflops/conv';
import { protocolNamed } from '@alphaflops/measure';
import { ProbeResultSchema, type Executor, type ExecutorSession, type PrepareResult } from './executor.js';
import { checkOutput, INPUT_SEED, measureSpec } from './measure-spec.js';
import { systemClock } from './system-clock.js';

export interface ConformanceOptions {
  createExecutor: () => Executor | Promise<Executor>;
  /** Specs that the executor does not support, each with a pattern for the reason. */
  unsupported: readonly { readonly spec: ConvSpec; readonly reason: RegExp }[];
  /** A spec larger than any memory. */
  huge: ConvSpec;
  /** Whether grouped convolutions other than depthwise ones are computed, or refused. */
  grouped: 'computed' | 'unsupported';
  /** Which convolutions with optional fields (strides by axis, dilation, pads, pass) it computes; absent: it may compute or refuse each. */
  computes?: (spec: ConvSpec) => boolean;
  /** Two specs, the larger one with 20 to 400 times the work, for a device on which the usual ones take too long. */
  growth?: { readonly small: Partial<ConvSpec>; readonly large: Partial<ConvSpec> };
  /** Number of allocations on the device, if the library counts them. */
  allocations?: () => number;
}

const base: ConvSpec = {
  ...CONV_SPEC_DEFAULTS,
  height: 9,
  width: 12,
  cin: 6,
  cout: 10,
  kernel_h: 3,
  kernel_w: 3,
};

/** Specs that every executor must compute correctly. Each axis differs from its default in at least one, and several axes in some. */
const COMPUTED: readonly Partial<ConvSpec>[] = [
  {},
  { padding: 'valid' },
  { kernel_h: 1, kernel_w: 1 },
  { kernel_h: 2, kernel_w: 4 },
  { kernel_h: 2, kernel_w: 2, padding: 'valid' },
  { kernel_h: 5, kernel_w: 1 },
  { kernel_h: 11, kernel_w: 7 },
  { stride: 2 },
  { stride: 2, padding: 'valid' },
  { stride: 3, kernel_h: 1, kernel_w: 1 },
  { stride: 2, height: 8, width: 7, kernel_h: 4, kernel_w: 5 },
  { stride: 2, height: 8, width: 10, kernel_h: 3, kernel_w: 1 },
  { stride: 3, height: 11, width: 11, kernel_h: 2, kernel_w: 2 },
  { batch: 3 },
  { height: 1, width: 1 },
  { height: 1, width: 30, cin: 1, cout: 1 },
  { cin: 130, cout: 67, kernel_h: 1, kernel_w: 1 },
  { layout: 'NHWC' },
  { groups: 6, cout: 6 },
  { groups: 6, cout: 12, padding: 'valid', batch: 2 },
  { groups: 6, cout: 6, stride: 2, kernel_h: 4, kernel_w: 5 },
];

/** The larger spec has 64 times the work. A device that the small one does not fill may need only 4 times the time. */
const GROWTH = {
  small: { height: 16, width: 16, cin: 32, cout: 32 },
  large: { height: 64, width: 64, cin: 64, cout: 64 },
};

const GROUPED: readonly Partial<ConvSpec>[] = [{ groups: 2 }, { groups: 3, cout: 12, stride: 2 }];

const PADS = { padding: 'explicit', pad_top: 2, pad_bottom: 0, pad_left: 1, pad_right: 3 } as const;
const DEPTHWISE = { groups: 6, cout: 12 } as const;
const OPTIONAL: readonly Partial<ConvSpec>[] = [
  { stride_h: 2 },
  { stride_w: 3, kernel_w: 5, padding: 'valid' },
  { dilation_h: 2, dilation_w: 2 },
  { dilation_w: 3, kernel_h: 1, padding: 'valid' },
  { dilation_h: 2, stride: 2 },
  { ...PADS },
  { ...PADS, stride: 2, batch: 2, layout: 'NHWC' },
  { ...DEPTHWISE, dilation_h: 2, dilation_w: 2 },
];
/** Specs of both backward passes. */
const BACKWARD: readonly Partial<ConvSpec>[] = [
  {},
  { padding: 'valid', batch: 3, stride: 2 },
  { kernel_h: 1, kernel_w: 1, stride: 3 },
  { kernel_h: 4, kernel_w: 5, layout: 'NHWC' },
  { stride_h: 2 },
  { dilation_h: 2, dilation_w: 2 },
  { ...PADS },
  { ...DEPTHWISE },
  { ...DEPTHWISE, stride: 2, kernel_w: 4 },
  { groups: 2 },
];
const WITH_OPTIONAL_FIELDS: readonly Partial<ConvSpec>[] = [
  ...OPTIONAL,
  ...BACKWARD.map((changes) => ({ ...changes, pass: 'backward-data' as const })),
  ...BACKWARD.map((changes) => ({ ...changes, pass: 'backward-weights' as const })),
];

/**
 * Tests of the behaviour that all executors have in common. Call it in a `describe` of an adapter's tests, on the real device.
 *
 * @throws Error, in the tests that it defines, when an executor behaves differently
 */
export function executorConformance(options: ConformanceOptions): void {
  let executor: Executor;
  let session: ExecutorSession;

  beforeAll(async () => {
    executor = await options.createExecutor();
    const probed = await executor.probe();
    if (!probed.ok) throw new Error(`${executor.name} does not work here: ${probed.reason}`);
    const uuid = probed.devices[0]?.uuid ?? '';
    session = await executor.open(uuid);
  });

  afterAll(async () => {
    await session.dispose();
  });

  const prepare = (spec: ConvSpec): Promise<PrepareResult> =>
    session.prepare(spec, { seed: INPUT_SEED, mode: 'hot' });

  async function expectComputed(changes: Partial<ConvSpec>): Promise<void> {
    const spec = { ...base, ...changes };
    const prepared = await prepare(spec);
    if (!prepared.ok) throw new Error(`${prepared.outcome}: ${prepared.reason}`);
    expect(await checkOutput(spec, prepared.conv)).toEqual({ ok: true });
    await prepared.conv.dispose();
  }

  it('probes with well-formed, stable descriptions of its devices', async () => {
    const first = await executor.probe();
    expect(ProbeResultSchema.parse(first)).toEqual(first);
    expect(await executor.probe()).toEqual(first);
    if (!first.ok) throw new Error(first.reason);
    expect(first.devices.every((device) => device.executor === executor.name)).toBe(true);
    expect(new Set(first.devices.map((device) => device.uuid)).size).toBe(first.devices.length);
  });

  it('does not open an unknown device', async () => {
    await expect(executor.open('no-such-device')).rejects.toMatchObject({ code: 'unknown-device' });
  });

  it.each(COMPUTED)('computes the direct sum: %j', expectComputed);

  if (options.grouped === 'computed') {
    it.each(GROUPED)('computes the direct sum: %j', expectComputed);
  } else {
    it.each(GROUPED)('refuses groups: %j', async (changes) => {
      const refused = { ok: false, outcome: 'unsupported', reason: expect.stringMatching(/group/) as string };
      expect(await prepare({ ...base, ...changes })).toEqual(refused);
    });
  }

  it.each(WITH_OPTIONAL_FIELDS)('computes the direct sum, or refuses: %j', async (changes) => {
    const spec = { ...base, ...changes };
    if (options.computes?.(spec) === true) return expectComputed(changes);
    const prepared = await prepare(spec);
    if (options.computes === undefined && prepared.ok) {
      expect(await checkOutput(spec, prepared.conv)).toEqual({ ok: true });
      return prepared.conv.dispose();
    }
    expect(prepared).toMatchObject({ ok: false, outcome: 'unsupported' });
  });

  if (options.unsupported.length > 0) {
    it.each(options.unsupported)('refuses with a reason: $reason', async ({ spec, reason }) => {
      expect(await prepare(spec)).toEqual({
        ok: false,
        outcome: 'unsupported',
        reason: expect.stringMatching(reason) as string,
      });
    });
  }

  it('refuses a spec larger than the memory, and continues', async () => {
    expect(await prepare(options.huge)).toMatchObject({ ok: false, outcome: 'out-of-memory' });
    await expectComputed({});
  });

  const { allocations } = options;
  if (allocations !== undefined) {
    it('frees what it allocated', async () => {
      const before = allocations();
      for (const changes of COMPUTED) {
        const prepared = await prepare({ ...base, ...changes });
        if (!prepared.ok) throw new Error(prepared.reason);
        await prepared.conv.timeBatchMs(3);
        expect(allocations()).toBeGreaterThan(before);
        await prepared.conv.dispose();
        expect(allocations()).toBe(before);
      }
      await prepare(options.huge);
      expect(allocations()).toBe(before);
    });
  }

  it('takes longer for more work', async () => {
    const timeMs = async (changes: Partial<ConvSpec>): Promise<number> => {
      const protocol = protocolNamed('quick-cpu');
      const measurement = await measureSpec(session, { ...base, ...changes }, protocol, systemClock);
      expect(MeasurementSchema.parse(measurement)).toEqual(measurement);
      if (measurement.timing === null) throw new Error(JSON.stringify(measurement));
      return measurement.timing.timeMs;
    };
    const { small: less, large: more } = options.growth ?? GROWTH;
    const small = await timeMs(less);
    const large = await timeMs(more);
    expect(large / small).toBeGreaterThan(4);
    // The small one may fit into caches. A wrong unit or a wrong count would give a larger deviation.
    const workRatio = macs({ ...base, ...more }) / macs({ ...base, ...less });
    expect(large / small).toBeLessThan(16 * workRatio);
  }, 60_000);

  it('reads its conditions', async () => {
    const conditions = await session.readConditions();
    for (const clock of [conditions.smClockMhz, conditions.maxSmClockMhz]) {
      expect(clock ?? 1000).toBeGreaterThan(0);
    }
    expect(Array.isArray(conditions.throttleReasons)).toBe(true);
  });
}
