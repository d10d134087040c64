import { ConvSpecSchema } from '@alphaflops/contracts';
import type { ConvSpec } from '@alphaflops/conv';
import { InvalidArgumentError } from 'commander';

/** How the key of a spec spells its axes: `b1-h56-w56-i64-o128-k3x3-s1-g1-f32-same-NCHW`. */
const KEY =
  /^(?:b(?<batch>\d+)-)?h(?<height>\d+)-w(?<width>\d+)-i(?<cin>\d+)-o(?<cout>\d+)-k(?<kernel_h>\d+)x(?<kernel_w>\d+)(?:-s(?<stride>\d+))?(?:-g(?<groups>\d+))?(?:-(?<dtype>f32|f16|bf16))?(?:-(?<padding>same|valid))?(?:-(?<layout>NCHW|NHWC))?$/;
const WORDS = ['dtype', 'padding', 'layout'];

/**
 * A convolution on the command line: the key of a spec, the parts that have defaults left out or not, or
 * `height=56,width=56,cin=64,cout=128,kernel_h=3,kernel_w=3` with the names of the CSV columns.
 */
export function spec(text: string): ConvSpec {
  const named: unknown = KEY.exec(text)?.groups;
  const cells = (named as Record<string, string | undefined> | undefined) ?? pairs(text);
  const given = Object.entries(cells).filter(([, cell]) => cell !== undefined);
  const raw = Object.fromEntries(
    given.map(([axis, cell]) => [axis, WORDS.includes(axis) ? cell : Number(cell)]),
  );
  const parsed = ConvSpecSchema.strict().safeParse(raw);
  if (parsed.success) return parsed.data;
  const issues = parsed.error.issues.map(({ path, message }) =>
    path.length === 0 ? message : `${path.join('.')}: ${message}`,
  );
  throw new InvalidArgumentError(`${issues.join('; ')}.`);
}

function pairs(text: string): Record<string, string> {
  const parts = text.split(',').map((part) => part.split('='));
  if (parts.some((part) => part.length !== 2 || part.includes(''))) {
    throw new InvalidArgumentError(
      'Expected b1-h56-w56-i64-o128-k3x3-s1-g1-f32-same-NCHW or height=56,width=56,cin=64,cout=128,kernel_h=3,kernel_w=3.',
    );
  }
  return Object.fromEntries(parts.map(([axis = '', cell = '']) => [axis.trim(), cell.trim()]));
}
