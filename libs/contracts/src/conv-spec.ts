import {
  canonicalSpec,
  CONV_SPEC_DEFAULTS,
  dilationH,
  dilationW,
  DTYPES,
  kernelExtent,
  LAYOUTS,
  outputSize,
  PAD_FIELDS,
  PADDINGS,
  PASSES,
  type ConvSpec,
} from '@alphaflops/conv';
import { z } from 'zod';

/** Largest value accepted on one axis: keeps every product of axes inside the exact integers of a double. */
export const MAX_AXIS = 1_048_576;

/** One check for all axes: a list has thousands of layers, and separate checks would each take as long as this one. */
const axis = z
  .number()
  .check((payload) => {
    const size = payload.value;
    if (Number.isInteger(size) && size >= 1 && size <= MAX_AXIS) return;
    const message = `expected a whole number from 1 to ${MAX_AXIS}`;
    payload.issues.push({ code: 'invalid_type', expected: 'int', input: size, message });
  })
  .meta({ type: 'integer', minimum: 1, maximum: MAX_AXIS });

const optionalAxis = axis.optional();
const optionalPad = z.int().min(0).max(MAX_AXIS).optional();

/**
 * A ConvSpec from a request or a file. The schema checks its axes, fills in the defaults of absent ones, and gives its canonical
 * form, which has no optional field with its default value.
 */
export const ConvSpecSchema = z
  .strictObject({
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
    padding: z
      .enum(PADDINGS)
      .default(CONV_SPEC_DEFAULTS.padding)
      .describe(
        'explicit: as pad_top, pad_bottom, pad_left and pad_right say; a pad alone makes it explicit',
      ),
    layout: z.enum(LAYOUTS).default(CONV_SPEC_DEFAULTS.layout),
    stride_h: optionalAxis.describe('along the height, if it differs from the stride of the width'),
    stride_w: optionalAxis.describe('along the width, if it differs from the stride of the height'),
    dilation_h: optionalAxis.describe('distance of neighbouring kernel points; 1 by default'),
    dilation_w: optionalAxis.describe('distance of neighbouring kernel points; 1 by default'),
    pad_top: optionalPad.describe('rows of zeros above the input; 0 by default'),
    pad_bottom: optionalPad.describe('rows of zeros below the input; 0 by default'),
    pad_left: optionalPad.describe('columns of zeros before the input; 0 by default'),
    pad_right: optionalPad.describe('columns of zeros after the input; 0 by default'),
    pass: z
      .enum(PASSES)
      .optional()
      .describe('the computed pass; forward by default; all sizes are those of the forward pass'),
  })
  .superRefine((spec, context) => {
    const refuse = (path: string, message: string): void => {
      context.addIssue({ code: 'custom', path: [path], message });
    };
    for (const side of ['cin', 'cout'] as const) {
      if (spec[side] % spec.groups !== 0) {
        refuse('groups', `groups (${spec.groups}) must divide ${side} (${spec[side]})`);
      }
    }
    const pad = spec.padding === 'valid' ? PAD_FIELDS.find((name) => (spec[name] ?? 0) !== 0) : undefined;
    if (pad !== undefined) refuse(pad, `${pad} is ${spec[pad] ?? 0}, but padding valid has no zeros`);
    // Pads make the padding explicit only in the canonical form.
    const { height, width } = outputSize(canonicalSpec(spec));
    if (height === 0 || width === 0) {
      const [rows, columns] = [
        kernelExtent(spec.kernel_h, dilationH(spec)),
        kernelExtent(spec.kernel_w, dilationW(spec)),
      ];
      const padding = spec.padding === 'valid' ? 'without padding' : 'with its padding';
      refuse(
        'padding',
        `a ${rows}×${columns} kernel ${padding} does not fit a ${spec.height}×${spec.width} input`,
      );
    }
  })
  .overwrite(canonicalSpec)
  .meta({
    id: 'ConvSpec',
    description: 'One 2-D convolution; sizes in elements.',
  }) satisfies z.ZodType<ConvSpec>;
