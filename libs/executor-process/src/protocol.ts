/**
 * What an external program and this executor say to each other: one JSON object a line, requests on the program's
 * standard input, one reply to each on its standard output, one request at a time. docs/executors.md explains it.
 */
import { acceptingFormerEnergyNames, ConditionsSchema, ConvSpecSchema } from '@alphaflops/contracts';
import { z } from 'zod';

export const PROCESS_PROTOCOL = 'alphaflops.process/1';

const id = z.int().min(1).describe('of the request; its reply has the same');
const index = z.int().min(0);

const requests = [
  z
    .object({ id, method: z.literal('hello'), protocol: z.literal(PROCESS_PROTOCOL) })
    .describe('Who are you, and which devices can you drive? Always the first request.'),
  z
    .object({ id, method: z.literal('open'), device: z.string().describe('uuid of one of its devices') })
    .describe('Take this device; all that follows is about it.'),
  z
    .object({
      id,
      method: z.literal('prepare'),
      spec: ConvSpecSchema,
      seed: index.describe('of the random inputs'),
      mode: z.enum(['hot', 'cold']).describe('cold: the last-level cache is overwritten before each run'),
    })
    .describe('Allocate one convolution and fill its inputs. At most one is prepared at a time.'),
  z
    .object({ id, method: z.literal('time'), inner: z.int().min(1) })
    .describe('Run it that often, back to back, and say how long all of them took.'),
  z
    .object({ id, method: z.literal('eager') })
    .describe('Time one launched from the host, launch cost included.'),
  z
    .object({ id, method: z.literal('energy'), windowMs: z.number().gt(0) })
    .describe(
      'Run it back to back for about that long and say what energy one took, by a meter of your own.',
    ),
  z
    .object({
      id,
      method: z.literal('output'),
      points: z.array(z.object({ image: index, row: index, column: index, channel: index })),
    })
    .describe('Run it once and read these elements of its result.'),
  z.object({ id, method: z.literal('conditions') }).describe('State of the device now.'),
  z.object({ id, method: z.literal('release') }).describe('Free what prepare allocated.'),
  z
    .object({ id, method: z.literal('shutdown') })
    .describe('Free everything, reply, and end with exit code 0.'),
] as const;

export const ProgramRequestSchema = z.discriminatedUnion('method', requests);
export type ProgramRequest = z.infer<typeof ProgramRequestSchema>;
export type Method = ProgramRequest['method'];

const nothing = z.object({});
const time = z.object({
  timeMs: z.number().min(0).describe('0 where the timer cannot tell it from nothing'),
});
const scalar = z.union([z.string().max(400), z.number(), z.boolean(), z.null()]);

const ProgramDeviceSchema = z.object({
  uuid: z
    .string()
    .min(1)
    .max(120)
    .describe('of the physical device, the same that other executors give it: two never time on it at once'),
  sku: z.string().min(1).max(200),
  kind: z.enum(['cpu', 'gpu']),
  memoryBytes: z.int().min(0).nullable(),
  smCount: z.int().min(1).nullable(),
  libraries: z
    .record(z.string().max(80), z.string().max(200))
    .describe('names and versions of all that makes times comparable, the timer included'),
  mathMode: z.string().max(80).describe('such as f32 or tf32'),
  details: z.record(z.string().max(80), scalar).describe('what else is known of the device'),
});

/** What each method is answered with. */
export const RESULTS = {
  hello: z.object({
    protocol: z.literal(PROCESS_PROTOCOL),
    program: z.object({ name: z.string().min(1).max(80), version: z.string().min(1).max(80) }),
    devices: z.array(ProgramDeviceSchema).min(1),
    optionalFields: z
      .boolean()
      .default(false)
      .describe(
        'whether it reads the optional fields of a spec (strides and dilations by axis, pads, pass); if not, it is never asked for a spec that has any',
      ),
  }),
  open: nothing,
  prepare: z.discriminatedUnion('outcome', [
    z.object({
      outcome: z.literal('ok'),
      bufferOrder: z
        .object({ input: z.enum(['NCHW', 'NHWC']), weights: z.enum(['OIHW', 'OHWI', 'HWIO']) })
        .describe('order of the axes in the buffers that were filled, slowest first'),
      tolerance: z
        .number()
        .gt(0)
        .lt(1)
        .describe('largest error of an output, as a share of the root sum of squares of its products'),
      algorithm: z.string().max(200).nullable(),
      workspaceBytes: z.number().min(0).nullable(),
      eager: z.boolean().describe('whether the method eager means something'),
      energy: z
        .boolean()
        .optional()
        .describe(
          'whether the program has an energy meter of its own; absent: false, and the device’s meter is used',
        ),
    }),
    z.object({
      outcome: z.enum(['unsupported', 'out-of-memory']),
      reason: z.string().min(1).max(2000),
    }),
  ]),
  time: time,
  eager: time,
  energy: acceptingFormerEnergyNames(
    z.discriminatedUnion('outcome', [
      z.object({
        outcome: z.literal('ok'),
        energyMillijoules: z.number().gt(0).describe('of one convolution, idle power included, in mJ'),
        windowMs: z.number().gt(0).describe('how long they ran back to back'),
        iterations: z.int().min(1).describe('convolutions in that time'),
      }),
      z.object({ outcome: z.literal('unknown'), reason: z.string().min(1).max(400) }),
    ]),
  ),
  output: z.object({ values: z.array(z.number()) }),
  conditions: ConditionsSchema.omit({ disturbance: true }).meta({ id: 'ProcessConditions' }),
  release: nothing,
  shutdown: nothing,
} as const satisfies Record<Method, z.ZodType>;

export type Result<M extends Method> = z.infer<(typeof RESULTS)[M]>;

/** The frame of a reply; `result` is then read by the schema of the method. */
export const ReplyFrameSchema = z.discriminatedUnion('ok', [
  z.object({ id, ok: z.literal(true), result: z.unknown() }),
  z.object({ id, ok: z.literal(false), error: z.string().min(1) }),
]);

/** The protocol as one JSON Schema: `$defs` has `Request` and, by method, `Reply.<method>`. */
export function protocolJsonSchema(): Record<string, unknown> {
  const registry = z.registry<{ id: string }>();
  registry.add(ProgramRequestSchema, { id: 'Request' });
  registry.add(ReplyFrameSchema, { id: 'Reply' });
  for (const [method, schema] of Object.entries(RESULTS)) {
    // A schema of its own for each: several methods have the same result.
    registry.add(schema.clone(), { id: `Result.${method}` });
  }
  // What several of them use comes as a schema "__shared" with definitions of its own: one level is enough.
  const uri = (name: string): string => (name === '__shared' ? '' : `#/$defs/${name}`);
  const { schemas } = z.toJSONSchema(registry, { uri, io: 'input' });
  const { __shared: shared, ...own } = schemas;
  for (const schema of Object.values(own)) {
    delete schema.$schema;
    delete schema.$id;
  }
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: PROCESS_PROTOCOL,
    description:
      'Requests to and replies of an external program that measures convolutions. One object a line.',
    $defs: { ...own, ...shared?.$defs },
  };
}
