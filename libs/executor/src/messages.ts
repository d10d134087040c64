import { ConditionsSchema, ConvSpecSchema, MeasurementSchema, ProtocolSchema } from '@alphaflops/contracts';
import { z } from 'zod';
import { MeteredDeviceSchema } from './energy-meter.js';
import { ProbeResultSchema } from './executor.js';

/** Requests of the parent to the executor's process, one at a time. */
export const RequestSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('probe') }),
  z.object({
    kind: z.literal('open'),
    deviceUuid: z.string(),
    metered: MeteredDeviceSchema.nullable().describe('null: its energy is not measured'),
  }),
  z.object({ kind: z.literal('conditions') }),
  z.object({
    kind: z.literal('measure'),
    spec: ConvSpecSchema,
    protocol: ProtocolSchema,
    idlePowerW: z.number().nullable().describe('of the device, where it was read before'),
    undisturbedReferenceMs: z
      .number()
      .nullable()
      .describe('undisturbed time of the reference convolution on this device; null: not known'),
  }),
]);
export type Request = z.infer<typeof RequestSchema>;

/** One reply to each request. `failed`: the executor threw, and its state is unknown. */
export const ReplySchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('probed'), result: ProbeResultSchema }),
  z.object({ kind: z.literal('opened') }),
  z.object({ kind: z.literal('conditions'), conditions: ConditionsSchema }),
  z.object({
    kind: z.literal('measured'),
    measurement: MeasurementSchema,
    undisturbedReferenceMs: z.number().nullable().describe('as it is now; null: not known, or not watched'),
  }),
  z.object({
    kind: z.literal('failed'),
    message: z.string(),
    isBroken: z
      .boolean()
      .optional()
      .describe('no convolution can be measured until the installation is repaired'),
  }),
]);
export type Reply = z.infer<typeof ReplySchema>;
