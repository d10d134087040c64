import { z } from 'zod';
import { acceptingFormerEnergyNames } from './energy-names.js';
import { KernelSchema } from './kernel.js';
import { plausibleMs } from './plausible-time.js';

/**
 * How a convolution is timed (docs/measurement.md). A named, versioned set of parameters that is
 * stored with every sample.
 */
export const ProtocolSchema = z
  .object({
    name: z.string().regex(/^[a-z][a-z0-9-]{0,39}$/),
    version: z.int().min(1),
    mode: z.enum(['hot', 'cold']).describe('cold: the last-level cache is overwritten before each run'),
    warmUpMinRuns: z.int().min(1).max(1000),
    warmUpTolerance: z.number().gt(0).lt(1).describe('two successive warm-up times agree within this share'),
    warmUpMaxMs: z.number().gt(0).max(60_000),
    minBatchMs: z.number().gt(0).max(10_000).describe('one timed batch lasts at least this long'),
    minBatches: z.int().min(3).max(10_000),
    maxRelativeStandardError: z.number().gt(0).lt(1).describe('of the mean of the batch times'),
    maxTotalMs: z.number().gt(0).max(600_000).describe('accumulated timed milliseconds'),
    noisyRelativeStandardError: z.number().gt(0).lt(1).describe('above this at the end the outcome is noisy'),
    specTimeLimitMs: z.number().gt(0).max(3_600_000).describe('wall time after which a spec is a timeout'),
    throttleRetries: z.int().min(0).max(10),
    minClockShare: z
      .number()
      .min(0)
      .lte(1)
      .describe('SM clock below this share of its maximum is throttling'),
    maxDisturbance: z
      .number()
      .gt(0)
      .lt(1)
      .optional()
      .describe(
        'a batch counts only if the reference convolution before and after it is at most this share slower than undisturbed; absent: disturbance is not watched',
      ),
    checkOutput: z.boolean().describe('compare a few output points with a direct sum'),
    energyWindowMs: z
      .number()
      .min(1000)
      .max(60_000)
      .optional()
      .describe('run back to back for this long to measure the energy; absent: not measured'),
  })
  .meta({ id: 'Protocol' });
export type Protocol = z.infer<typeof ProtocolSchema>;

export const OUTCOMES = [
  'ok',
  'unsupported',
  'out-of-memory',
  'timeout',
  'throttled',
  'noisy',
  'wrong-result',
  'executor-crashed',
  'drifted',
] as const;
export const OutcomeSchema = z.enum(OUTCOMES).meta({ id: 'Outcome' });
export type Outcome = z.infer<typeof OutcomeSchema>;

const positiveMs = z.number().gt(0);

/** The meter that counts the energy of a device, and its accuracy. The provenance of samples has it. */
export const EnergyMeterSchema = z
  .discriminatedUnion('available', [
    z.strictObject({
      available: z.literal(true),
      name: z.string().min(1).max(80).describe('of the meter; energies of two meters are not comparable'),
      method: z
        .enum(['counter', 'power'])
        .describe('counter: the hardware counts energy; power: readings of the power are integrated'),
      domains: z
        .array(z.string().max(80))
        .max(64)
        .describe('the counted parts, such as the packages of a machine'),
      updatePeriodMs: z
        .number()
        .gt(0)
        .nullable()
        .describe('between two values of the hardware; null: not known'),
      resolutionMj: z
        .number()
        .gt(0)
        .nullable()
        .describe('smallest step of the counter in mJ; null: not known'),
      statedAccuracy: z.string().max(200).nullable().describe('as the vendor states it; null: not stated'),
    }),
    z.strictObject({ available: z.literal(false), reason: z.string().min(1).max(600) }),
  ])
  .meta({ id: 'EnergyMeter' });
export type EnergyMeterDescription = z.infer<typeof EnergyMeterSchema>;

/** How the energy was measured, or why it could not be. */
export const EnergyCheckSchema = z
  .discriminatedUnion('measured', [
    z.object({
      measured: z.literal(true),
      windowMs: positiveMs.describe('of back-to-back running, between two advances of the counter'),
      iterations: z.int().min(1).describe('convolutions in the window'),
      integratedMillijoules: z
        .number()
        .gt(0)
        .nullable()
        .describe('the same by integrating the power readings; null where the device reports no power'),
      meter: z
        .string()
        .min(1)
        .max(80)
        .optional()
        .describe(
          'name of the energy meter; absent in samples that are older than the names of meters: their meter is nvml-total-energy',
        ),
      idlePowerW: z
        .number()
        .min(0)
        .nullable()
        .optional()
        .describe('power of the idle device; null or absent if it is not known'),
      aboveIdleMillijoules: z
        .number()
        .nullable()
        .optional()
        .describe('energy of one convolution minus idle power times its duration; null or absent if unknown'),
      doubt: z.string().max(400).nullable().describe('why the energy may be wrong, or null'),
    }),
    z.object({ measured: z.literal(false), reason: z.string().min(1).max(400) }),
  ])
  .meta({ id: 'EnergyCheck' });
export type EnergyCheck = z.infer<typeof EnergyCheckSchema>;

/** The SM clock, read once during each timed batch. */
export const BatchClocksSchema = z
  .object({
    medianMhz: z.number().gt(0),
    minMhz: z.number().gt(0),
    maxMhz: z.number().gt(0),
  })
  .meta({ id: 'BatchClocks' });
export type BatchClocks = z.infer<typeof BatchClocksSchema>;

/** Statistics over timed batches; each batch time is already divided by its inner count. Milliseconds of one convolution. */
export const TimingSchema = z
  .object({
    timeMs: plausibleMs.describe(
      'median; device time if the executor can measure it separately from host time',
    ),
    timeMinMs: plausibleMs,
    timeQ25Ms: plausibleMs,
    timeQ75Ms: plausibleMs,
    timeMeanMs: plausibleMs,
    cv: z.number().min(0).describe('standard deviation over mean of the batch times'),
    repetitions: z.int().min(1).describe('timed batches'),
    innerIterations: z.int().min(1).describe('convolutions in one timed batch'),
    warmUpRuns: z.int().min(0),
    batchTimesMs: z.array(plausibleMs).max(10_000),
    stoppedBy: z.enum(['relative-standard-error', 'total-time']),
    eagerMs: plausibleMs
      .nullable()
      .describe(
        'time with a separate launch for each convolution, including the launch; null if not measured',
      ),
    energyMillijoules: z
      .number()
      .gt(0)
      .nullable()
      .describe('energy of one convolution, idle power included; null, never 0, where not measured'),
    energy: EnergyCheckSchema.optional().describe('absent if energy was not requested'),
    batchClocks: BatchClocksSchema.optional().describe(
      'SM clock while the batches ran; absent if nothing can read it',
    ),
  })
  .meta({ id: 'Timing' });
export type Timing = z.infer<typeof TimingSchema>;

/** The timing of a stored sample. A sample that was imported from a plain table may have only its median. */
export const SampleTimingSchema = TimingSchema.extend({
  timeMinMs: plausibleMs.nullable(),
  timeQ25Ms: plausibleMs.nullable(),
  timeQ75Ms: plausibleMs.nullable(),
  timeMeanMs: plausibleMs.nullable(),
  cv: TimingSchema.shape.cv.nullable(),
  repetitions: TimingSchema.shape.repetitions.nullable(),
  innerIterations: TimingSchema.shape.innerIterations.nullable(),
  warmUpRuns: TimingSchema.shape.warmUpRuns.nullable(),
  stoppedBy: TimingSchema.shape.stoppedBy.nullable(),
}).meta({ id: 'SampleTiming' });
export type SampleTiming = z.infer<typeof SampleTimingSchema>;

/** State of the device at one moment. A value is null if the device or its driver does not report it. */
export const ConditionsSchema = z
  .object({
    smClockMhz: z.number().nullable(),
    maxSmClockMhz: z.number().nullable(),
    temperatureC: z.number().nullable(),
    powerW: z.number().nullable(),
    throttleReasons: z.array(z.string().max(80)).max(20),
    otherProcesses: z.int().min(0).nullable().describe('other processes computing on the device'),
    hostLoad1: z.number().min(0).nullable().describe('one-minute load average of the host'),
    disturbance: z
      .number()
      .min(0)
      .nullable()
      .optional()
      .describe(
        'largest share by which the reference convolution around the batches that count was slower than undisturbed on this device; null: the share is unknown; absent: disturbance was not watched',
      ),
  })
  .meta({ id: 'Conditions' });
export type Conditions = z.infer<typeof ConditionsSchema>;

const conditionsPair = { before: ConditionsSchema, after: ConditionsSchema };
const reason = z.string().min(1).max(2000);

/** The result of measuring one ConvSpec: a value, never an exception. A failure keeps the best timing so far. */
export const MeasurementSchema = z
  .discriminatedUnion('outcome', [
    z.object({
      outcome: z.literal('ok'),
      timing: acceptingFormerEnergyNames(TimingSchema),
      conditions: z.object(conditionsPair),
      algorithm: z.string().max(200).nullable().describe('algorithm or kernel chosen by the library'),
      workspaceBytes: z.number().min(0).nullable(),
      kernel: KernelSchema.optional().describe('absent if the library does not report which kernel runs'),
      powerLimited: z
        .boolean()
        .optional()
        .describe(
          'true: the power limit held the clock down, a normal state of many GPUs; absent: it did not hold the clock down',
        ),
    }),
    z.object({
      // Whether a device has drifted is known later, and not by the executor.
      outcome: OutcomeSchema.exclude(['ok', 'drifted']),
      reason,
      timing: acceptingFormerEnergyNames(TimingSchema.nullable()),
      conditions: z.object(conditionsPair).nullable(),
    }),
  ])
  .meta({ id: 'Measurement' });
export type Measurement = z.infer<typeof MeasurementSchema>;

/** Where a sample comes from. One record per worker start; samples point to it by digest. */
export const ProvenanceSchema = z
  .strictObject({
    schema: z.literal('alphaflops.provenance/1'),
    device: z.record(z.string().max(80), z.union([z.string().max(400), z.number(), z.boolean(), z.null()])),
    executor: z.strictObject({ name: z.string().max(80), version: z.string().max(80) }),
    libraries: z.record(z.string().max(80), z.string().max(200)),
    mathMode: z.string().max(80),
    energyMeter: EnergyMeterSchema.optional().describe('absent in records of earlier versions'),
    worker: z.strictObject({
      version: z.string().max(80),
      commit: z.string().max(80).nullable(),
      dirty: z.boolean().nullable(),
    }),
    host: z.strictObject({
      hostname: z.string().max(255),
      cpu: z.string().max(200),
      os: z.string().max(200),
      kernel: z.string().max(200),
      node: z.string().max(40),
    }),
  })
  .meta({ id: 'Provenance' });
export type Provenance = z.infer<typeof ProvenanceSchema>;
