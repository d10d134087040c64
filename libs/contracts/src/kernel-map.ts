import { z } from 'zod';
import { IdSchema, TimestampSchema } from './ids.js';

const version = z.string().regex(/^\d{1,3}\.\d{1,3}(\.\d{1,4})?$/, 'must be a version such as 9.19.0');

/** All that the kernel of a shape depends on: docs/decisions/0021-kernel-maps.md. */
export const KernelMapKeySchema = z.strictObject({
  cudnnVersion: version.describe('such as 9.19.0'),
  computeCapability: z
    .string()
    .regex(/^\d+\.\d+$/, 'must be a compute capability such as 9.0')
    .describe('such as 9.0'),
  heuristicMode: z.literal('instant').describe('heuristic mode in the request to cuDNN'),
  mathMode: z.enum(['tf32', 'fp32']).describe('whether f32 may be computed in TF32'),
});
export type KernelMapKey = z.infer<typeof KernelMapKeySchema>;

/** The same key has the same id everywhere: `cudnn-9.19.0-cc-9.0-instant-tf32`. */
export function kernelMapId({
  cudnnVersion,
  computeCapability,
  heuristicMode,
  mathMode,
}: KernelMapKey): string {
  return `cudnn-${cudnnVersion}-cc-${computeCapability}-${heuristicMode}-${mathMode}`;
}

/** Largest number of shapes in one map. */
export const MAX_KERNEL_MAP_SHAPES = 200_000;

/** Shapes labelled with the kernels that cuDNN runs, for all devices with the same key. A map never changes. */
export const KernelMapSchema = z
  .strictObject({
    id: IdSchema,
    ...KernelMapKeySchema.shape,
    shapes: z.int().min(1).max(MAX_KERNEL_MAP_SHAPES).describe('shapes with a kernel'),
    kernels: z.int().min(1).describe('different kernels'),
    digest: z.string().length(64).describe('sha-256 of the labels as CSV, in hex'),
    workerId: IdSchema.nullable().describe('the worker whose cuDNN labelled the shapes; null: imported'),
    createdAt: TimestampSchema,
  })
  .meta({ id: 'KernelMap' });
export type KernelMap = z.infer<typeof KernelMapSchema>;

/** Labels from another deployment or machine. */
export const KernelMapImportSchema = z
  .strictObject({
    ...KernelMapKeySchema.shape,
    csv: z
      .string()
      .min(1)
      .describe('columns of the canonical CSV and kernel, as "alphaflops kernels label" writes it'),
  })
  .meta({ id: 'KernelMapImport' });
export type KernelMapImport = z.infer<typeof KernelMapImportSchema>;

/** Request the kernels that cuDNN runs for shapes of the designs, without measuring. */
export const LabelKernelsJobSchema = z.object({
  mapId: IdSchema,
  targetId: IdSchema.describe('a device class without a map'),
  key: KernelMapKeySchema,
  shapes: z
    .int()
    .min(1)
    .max(MAX_KERNEL_MAP_SHAPES)
    .describe('number of shapes; worker and coordinator compute them by the same rule'),
});
export type LabelKernelsJob = z.infer<typeof LabelKernelsJobSchema>;

/** The result, as JSON compressed with gzip: the kernels, and for each planned shape the index of its kernel, or −1 without one. */
export const KernelLabelsSchema = z
  .strictObject({
    cudnnVersion: version,
    computeCapability: z.string(),
    kernels: z.array(z.string().max(400)).max(10_000),
    labels: z.array(z.int().min(-1)).max(MAX_KERNEL_MAP_SHAPES),
  })
  .refine(({ kernels, labels }) => labels.every((label) => label < kernels.length), {
    path: ['labels'],
    message: 'must name kernels of the list',
  });
export type KernelLabels = z.infer<typeof KernelLabelsSchema>;
