import { z } from 'zod';

/** Longest name of a kernel. The name of an engine with all knobs of cuDNN has less than half of this length. */
export const MAX_KERNEL_NAME = 400;

/** No blanks and no control characters: the name is a cell of a table, a key of a model and a class of a classifier. */
export const KernelNameSchema = z
  .string()
  .max(MAX_KERNEL_NAME)
  .regex(/^[\x21-\x7e]+$/, 'must be printable ASCII without blanks')
  .describe('of the kernel: engine and knobs as cudnn-frontend writes them, such as eng46_k2=4_k5=2_k14=3');

/** One setting of a cuDNN engine. @see NVIDIA cuDNN, cudnnBackendKnobType_t */
export const KnobSchema = z.object({ type: z.int().min(0), value: z.int() });
export type Knob = z.infer<typeof KnobSchema>;

/** An engine configuration of cuDNN. It determines which code runs on the device. */
export interface EngineConfig {
  readonly engine: number;
  readonly knobs: Knob[];
}

/** The kernel that ran a convolution. */
export const KernelSchema = z
  .object({
    name: KernelNameSchema,
    engine: z
      .int()
      .min(0)
      .nullable()
      .describe('number of the engine in cuDNN; null for kernels of other libraries'),
    knobs: z.array(KnobSchema).max(64).describe('in the order in which cuDNN lists them'),
    numericalNotes: z
      .array(z.string().max(80))
      .max(20)
      .nullable()
      .describe('numerical properties of the engine, such as tensor-core or winograd; null: not known'),
    planBuildMs: z
      .number()
      .min(0)
      .nullable()
      .describe('time from the query of the heuristics to a plan that is ready to run; null: not known'),
  })
  .refine(({ name, engine, knobs }) => engine === null || name === kernelName({ engine, knobs }), {
    path: ['name'],
    message: 'must spell the engine and the knobs',
  })
  .meta({ id: 'Kernel' });
export type Kernel = z.infer<typeof KernelSchema>;

/** An engine configuration in cudnn-frontend's spelling: `eng46_k2=4_k5=2_k14=3`. */
export function kernelName({ engine, knobs }: EngineConfig): string {
  return [`eng${engine}`, ...knobs.map(({ type, value }) => `k${type}=${value}`)].join('_');
}

/** The engine configuration with a name, or null if the kernel is not an engine of cuDNN. */
export function engineConfigOf(name: string): EngineConfig | null {
  const [, engine, rest = ''] = /^eng(\d+)((?:_k\d+=-?\d+)*)$/.exec(name) ?? [];
  if (engine === undefined) return null;
  const knobs = [...rest.matchAll(/_k(\d+)=(-?\d+)/g)].map(([, type, value]) => ({
    type: Number(type),
    value: Number(value),
  }));
  return { engine: Number(engine), knobs };
}
