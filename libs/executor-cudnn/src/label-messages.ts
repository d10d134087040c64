import { ConvSpecSchema } from '@alphaflops/contracts';
import { z } from 'zod';

/** How uneven `same` padding is given to cuDNN. */
export const LABEL_PADDINGS = ['cudnn', 'pytorch'] as const;

/** The device and the rules for a request of kernels. */
export const LabelOptionsSchema = z.object({
  deviceProperties: z.string().describe('JSON, as cuDNN 9.8 or newer writes it'),
  tf32: z.boolean().describe('whether f32 may be computed in TF32'),
  padding: z
    .enum(LABEL_PADDINGS)
    .describe(
      'cudnn: as executor cudnn asks, a padding for each side; pytorch: as PyTorch does, the input padded before, and half the kernel on both sides when strided',
    ),
  libraryPath: z.array(z.string()),
});
export type LabelOptions = z.infer<typeof LabelOptionsSchema>;

/** Requests to the labelling process, one at a time. */
export const LabelRequestSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('open'), options: LabelOptionsSchema }),
  z.object({ kind: z.literal('label'), specs: z.array(ConvSpecSchema) }),
]);
export type LabelRequest = z.infer<typeof LabelRequestSchema>;

/** The kernel of one ConvSpec. Null, with the reason, if cuDNN has no kernel for it. */
const LabelSchema = z.union([
  z.object({ kernel: z.string(), workspaceBytes: z.number() }),
  z.object({ kernel: z.null(), reason: z.string() }),
]);
export type KernelLabel = z.infer<typeof LabelSchema>;

export const LabelReplySchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('opened'), cudnn: z.string(), computeCapability: z.string() }),
  z.object({ kind: z.literal('labelled'), labels: z.array(LabelSchema) }),
  z.object({ kind: z.literal('failed'), message: z.string() }),
]);
export type LabelReply = z.infer<typeof LabelReplySchema>;
