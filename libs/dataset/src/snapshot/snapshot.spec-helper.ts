import { type DatasetRow, DatasetRowSchema, MAX_TIME_MS, MIN_TIME_MS } from '@alphaflops/contracts';
import fc from 'fast-check';

const time = fc.double({ min: MIN_TIME_MS, max: MAX_TIME_MS, noNaN: true });
const positive = fc.double({ min: 1e-300, max: 1e300, noNaN: true });
const orNull = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: null });
const count = fc.integer({ min: 0, max: 2_147_483_647 });
/** Limit over all axes together, so that a device can compute the shape in the shortest of the times below. */
const axis = fc.integer({ min: 1, max: 60 });
const stride = fc.integer({ min: 1, max: 1_048_576 });
const long = fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER });
const text = fc.string({ unit: 'grapheme', maxLength: 30 });
const id = fc.stringMatching(/^[a-z0-9][a-z0-9._-]{0,30}$/);
const moment = fc
  .date({ min: new Date(0), max: new Date(4e12), noInvalidDate: true })
  .map((date) => date.toISOString());
const state = fc.record({
  clock: orNull(positive),
  max: orNull(positive),
  // Text has no −0: adding 0 makes it 0.
  temperature: orNull(fc.double({ min: -50, max: 200, noNaN: true }).map((degrees) => degrees + 0)),
  power: orNull(positive),
  reasons: fc.array(text, { maxLength: 3 }),
  others: orNull(count),
  load: orNull(positive),
});
const energy = fc.oneof(
  fc.constant({}),
  fc.record({ energy_not_measured: text }),
  fc.record({
    energy_window_ms: time,
    energy_iterations: long,
    energy_integrated_mj: orNull(positive),
    energy_doubt: orNull(text),
  }),
  fc.record({
    energy_window_ms: time,
    energy_iterations: long,
    energy_meter: fc.constantFrom('nvml-total-energy', 'powercap-package'),
    energy_idle_w: orNull(positive),
    energy_above_idle_mj: orNull(positive),
  }),
);

/** Any possible row, also an unusual one. */
export const anyRow: fc.Arbitrary<DatasetRow> = fc
  .record({
    ids: fc.tuple(id, id, id, id),
    sizes: fc.tuple(axis, axis, axis, axis, axis, axis, axis, stride),
    dtype: fc.constantFrom('f32' as const, 'f16' as const, 'bf16' as const),
    layout: fc.constantFrom('NCHW' as const, 'NHWC' as const),
    // Long enough for any of these convolutions.
    times: fc.tuple(
      fc.double({ min: 0.1, max: MAX_TIME_MS, noNaN: true }),
      ...[orNull(time), orNull(time), orNull(time), orNull(time)],
    ),
    batches: fc.array(time, { maxLength: 12 }),
    eager: orNull(time),
    energyMillijoules: orNull(positive),
    counts: fc.tuple(count, count, count, count, count),
    inner: orNull(long),
    stoppedBy: orNull(fc.constantFrom('relative-standard-error' as const, 'total-time' as const)),
    energy,
    algorithm: orNull(text),
    workspace: orNull(fc.double({ min: 0, max: 1e15, noNaN: true })),
    kernel: orNull(
      fc.record({
        kernel: fc.constantFrom('eng46_k2=4_k5=2_k14=3', 'torch_depthwise'),
        kernel_notes: orNull(fc.array(fc.constantFrom('tensor-core', 'winograd'), { maxLength: 2 })),
        plan_build_ms: orNull(positive),
        power_limited: orNull(fc.boolean()),
        batch_clock_mhz: positive,
        batch_clock_min_mhz: positive,
        batch_clock_max_mhz: positive,
      }),
    ),
    states: orNull(fc.tuple(state, state)),
    provenance: orNull(fc.stringMatching(/^[0-9a-f]{64}$/)),
    moments: fc.tuple(moment, moment),
    signature: orNull(fc.stringMatching(/^[A-Za-z0-9_-]{86}$/)),
  })
  .map((one) => {
    const [sampleId, campaignId, targetId, deviceId] = one.ids;
    const [batch, height, width, cin, cout, kernelH, kernelW, stride] = one.sizes;
    const [after, before] = one.states ?? [null, null];
    return DatasetRowSchema.parse({
      sample_id: sampleId,
      ...{ batch, height, width, cin, cout, kernel_h: kernelH, kernel_w: kernelW, stride, groups: 1 },
      ...{ dtype: one.dtype, padding: 'same', layout: one.layout },
      time_ms: one.times[0],
      time_min_ms: one.times[1],
      time_q25_ms: one.times[2],
      time_q75_ms: one.times[3],
      time_mean_ms: one.times[4],
      cv: one.workspace,
      repetitions: one.counts[0],
      inner_iterations: one.inner,
      warm_up_runs: one.counts[1],
      stopped_by: one.stoppedBy,
      batch_times_ms: one.batches,
      eager_ms: one.eager,
      energy_mj: one.energyMillijoules,
      energy_window_ms: null,
      energy_iterations: null,
      energy_integrated_mj: null,
      energy_doubt: null,
      energy_not_measured: null,
      ...one.energy,
      algorithm: one.algorithm,
      workspace_bytes: one.workspace,
      ...one.kernel,
      sm_clock_mhz: after?.clock ?? null,
      max_sm_clock_mhz: after?.max ?? null,
      temperature_c: after?.temperature ?? null,
      power_w: after?.power ?? null,
      throttle_reasons: after?.reasons ?? null,
      other_processes: after?.others ?? null,
      host_load1: after?.load ?? null,
      before_sm_clock_mhz: before?.clock ?? null,
      before_max_sm_clock_mhz: before?.max ?? null,
      before_temperature_c: before?.temperature ?? null,
      before_power_w: before?.power ?? null,
      before_throttle_reasons: before?.reasons ?? null,
      before_other_processes: before?.others ?? null,
      before_host_load1: before?.load ?? null,
      device_class_id: 'class-a',
      device_id: deviceId,
      worker_id: one.eager === null ? null : 'worker-a',
      campaign_id: campaignId,
      target_id: targetId,
      spec_index: one.counts[2],
      replicate: one.counts[3],
      attempt: 1,
      batch_index: one.counts[4],
      protocol: 'gpu-hot',
      protocol_version: 1,
      provenance_id: one.provenance,
      started_at: one.moments[0],
      recorded_at: one.moments[1],
      signature: one.signature,
    });
  });
