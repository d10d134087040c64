import type { ConvSpec } from '@alphaflops/conv';
import { ConvSpecSchema } from './conv-spec.js';

/**
 * How the key of a spec spells its axes: `b1-h56-w56-i64-o128-k3x3-s1-g1-f32-same-NCHW`. Strides, dilations and pads may
 * differ by axis and side: `s2x1`, `d2x2`, `p1x1x2x2` (top, bottom, left, right); `d2` and `p1` are for all. The pass comes
 * last.
 */
const KEY = new RegExp(
  [
    /^(?:b(?<batch>\d+)-)?h(?<height>\d+)-w(?<width>\d+)-i(?<cin>\d+)-o(?<cout>\d+)/,
    /-k(?<kernel_h>\d+)x(?<kernel_w>\d+)/,
    /(?:-s(?<stride>\d+)(?:x(?<stride_w>\d+))?)?(?:-d(?<dilation_h>\d+)(?:x(?<dilation_w>\d+))?)?(?:-g(?<groups>\d+))?/,
    /(?:-(?<dtype>f32|f16|bf16))?/,
    /(?:-(?:(?<padding>same|valid)|p(?<pad_top>\d+)(?:x(?<pad_bottom>\d+)x(?<pad_left>\d+)x(?<pad_right>\d+))?))?/,
    /(?:-(?<layout>NCHW|NHWC))?(?:-(?<pass>forward|backward-data|backward-weights))?$/,
  ]
    .map(({ source }) => source)
    .join(''),
);
const WORDS = ['dtype', 'padding', 'layout', 'pass'];

/**
 * A convolution as people write it: the key of a spec, in which parts with default values may be missing, or
 * `height=56,width=56,cin=64,cout=128,kernel_h=3,kernel_w=3` with the names of the CSV columns.
 *
 * @throws RangeError that describes the problem
 */
export function specOfText(text: string): ConvSpec {
  const cells = keyParts(text) ?? pairs(text);
  const given = Object.entries(cells).filter(([, cell]) => cell !== undefined);
  const raw = Object.fromEntries(
    given.map(([axis, cell]) => [axis, WORDS.includes(axis) ? cell : Number(cell)]),
  );
  const parsed = ConvSpecSchema.safeParse(raw);
  if (parsed.success) return parsed.data;
  const issues = parsed.error.issues.map(({ path, message }) =>
    path.length === 0 ? message : `${path.join('.')}: ${message}`,
  );
  throw new RangeError(`${issues.join('; ')}.`);
}

/** The parts of a key by the names of the CSV columns. A part for several axes is given to each of them. */
function keyParts(text: string): Record<string, string | undefined> | undefined {
  const found: unknown = KEY.exec(text)?.groups;
  if (found === undefined) return undefined;
  const parts = found as Record<string, string | undefined>;
  const { dilation_h: dilation, pad_top: pad, pad_bottom: bottom = pad } = parts;
  const { dilation_w = dilation, pad_left = pad, pad_right = pad } = parts;
  return { ...parts, dilation_w, pad_bottom: bottom, pad_left, pad_right };
}

function pairs(text: string): Record<string, string> {
  const parts = text.split(',').map((part) => part.split('='));
  if (parts.some((part) => part.length !== 2 || part.includes(''))) {
    throw new RangeError(
      'Expected b1-h56-w56-i64-o128-k3x3-s1-g1-f32-same-NCHW or height=56,width=56,cin=64,cout=128,kernel_h=3,kernel_w=3.',
    );
  }
  return Object.fromEntries(parts.map(([axis = '', cell = '']) => [axis.trim(), cell.trim()]));
}
