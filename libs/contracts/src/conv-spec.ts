import { CONV_SPEC_DEFAULTS, DTYPES, LAYOUTS, PADDINGS, type ConvSpec } from '@alphaflops/conv';
import { z } from 'zod';

/** Largest value accepted on one axis: keeps every product of axes inside the exact integers of a double. */
export const MAX_AXIS = 1_048_576;

/** In one check: a list of layers has thousands of them, and each check of its own costs as much as this one. */
const axis = z
  .number()
  .check((payload) => {
    const size = payload.value;
    if (Number.isInteger(size) && size >= 1 && size <= MAX_AXIS) return;
    const message = `expected a whole number from 1 to ${MAX_AXIS}`;
    payload.issues.push({ code: 'invalid_type', expected: 'int', input: size, message });
  })
  .meta({ type: 'integer', minimum: 1, maximum: MAX_AXIS });

/** A ConvSpec as it arrives from outside: axes checked, absent axes filled with their defaults. */
export const ConvSpecSchema = z
  .object({
    batch: axis.default(CONV_SPEC_DEFAULTS.batch),
    height: axis,
    width: axis,
    cin: axis,
    cout: axis,
    kernel_h: axis,
    kernel_w: axis,
    stride: axis.default(CONV_SPEC_DEFAULTS.stride),
    groups: axis.default(CONV_SPEC_DEFAULTS.groups),
    dtype: z.enum(DTYPES).default(CONV_SPEC_DEFAULTS.dtype),
    padding: z.enum(PADDINGS).default(CONV_SPEC_DEFAULTS.padding),
    layout: z.enum(LAYOUTS).default(CONV_SPEC_DEFAULTS.layout),
  })
  .superRefine((spec, context) => {
    for (const side of ['cin', 'cout'] as const) {
      if (spec[side] % spec.groups !== 0) {
        context.addIssue({
          code: 'custom',
          path: ['groups'],
          message: `groups (${spec.groups}) must divide ${side} (${spec[side]})`,
        });
      }
    }
    if (spec.padding === 'valid' && (spec.kernel_h > spec.height || spec.kernel_w > spec.width)) {
      context.addIssue({
        code: 'custom',
        path: ['padding'],
        message: `a ${spec.kernel_h}×${spec.kernel_w} kernel without padding does not fit a ${spec.height}×${spec.width} input`,
      });
    }
  })
  .meta({
    id: 'ConvSpec',
    description: 'One 2-D convolution; sizes in elements.',
  }) satisfies z.ZodType<ConvSpec>;
