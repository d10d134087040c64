import { ExecutorError, type Executor, type ExecutorSettings } from '@alphaflops/executor';
import { z } from 'zod';
import { BACKENDS } from './backend-type.js';
import { NodeGpuExecutor } from './node/node-gpu-executor.js';
import { TfjsExecutor } from './tfjs-executor.js';
import { WebGpuExecutor } from './webgpu/webgpu-executor.js';

/**
 * On the processor: `tfjs-wasm` (XNNPACK), `tfjs-cpu` (plain loops, for checking), `tfjs-node` (TensorFlow's own library).
 * On a GPU: `tfjs-webgpu`, and TensorFlow's own library again, `tfjs-node-gpu`.
 */
export const TFJS_EXECUTORS = [
  ...BACKENDS.map((backend) => `tfjs-${backend}` as const),
  'tfjs-webgpu',
  'tfjs-node-gpu',
] as const;

const NO_SETTINGS = z.strictObject({});

const NodeSettingsSchema = z.strictObject({
  /** Folder with the packages that have tfjs-node, if it is not among those around this one. */
  folder: z.string().min(1).optional(),
});

const NodeGpuSettingsSchema = NodeSettingsSchema.extend({
  /** Folders that are searched first for the driver's libraries. */
  libraryPath: z.array(z.string()).default([]),
});

const WebGpuSettingsSchema = z.strictObject({
  /** Use an adapter that computes on the processor, instead of a GPU. Without it, such an adapter is refused. */
  softwareAdapter: z.boolean().default(false),
});

/** `@alphaflops/executor` calls it. Throws `ExecutorError`: `unknown-executor`, `bad-settings`. */
export function createExecutor(name: string, settings: ExecutorSettings = {}): Executor {
  if (name === 'tfjs-webgpu') {
    const { softwareAdapter } = parse(WebGpuSettingsSchema, name, settings);
    return new WebGpuExecutor({ software: softwareAdapter });
  }
  if (name === 'tfjs-node-gpu') return new NodeGpuExecutor(parse(NodeGpuSettingsSchema, name, settings));
  const backend = BACKENDS.find((candidate) => name === `tfjs-${candidate}`);
  if (backend === undefined) {
    throw new ExecutorError(
      'unknown-executor',
      `there is no executor "${name}" in @alphaflops/executor-tfjs; it has ${TFJS_EXECUTORS.join(', ')}`,
    );
  }
  return new TfjsExecutor(
    backend,
    parse(backend === 'node' ? NodeSettingsSchema : NO_SETTINGS, name, settings),
  );
}

function parse<T>(schema: z.ZodType<T>, name: string, settings: ExecutorSettings): T {
  const parsed = schema.safeParse(settings);
  if (parsed.success) return parsed.data;
  const issues = parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
  throw new ExecutorError('bad-settings', `settings of executor ${name}: ${issues.join('; ')}`);
}
