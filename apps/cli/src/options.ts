import { InvalidArgumentError } from 'commander';
import type { InputSizes } from './network-file.js';

/** Parsers for the values of options. Commander names the option and adds their message. */

const DECIMAL = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;
const MAX_SEED = 4_294_967_295;

export function wholeNumber(least: number, most: number = Number.MAX_SAFE_INTEGER): (text: string) => number {
  return (text) => {
    const value = DECIMAL.test(text) ? Number(text) : Number.NaN;
    if (Number.isSafeInteger(value) && value >= least && value <= most) return value;
    const range = most === Number.MAX_SAFE_INTEGER ? `of at least ${least}` : `from ${least} to ${most}`;
    throw new InvalidArgumentError(`Expected a whole number ${range}.`);
  };
}

export const seed = wholeNumber(0, MAX_SEED);
export const port = wholeNumber(0, 65_535);

export function positiveNumber(text: string): number {
  const value = DECIMAL.test(text) ? Number(text) : Number.NaN;
  if (value > 0 && value < Infinity) return value;
  throw new InvalidArgumentError('Expected a number above 0.');
}

/** A share between 0 and 1, both excluded. */
export function share(text: string): number {
  const value = DECIMAL.test(text) ? Number(text) : Number.NaN;
  if (value > 0 && value < 1) return value;
  throw new InvalidArgumentError('Expected a number between 0 and 1, such as 0.9.');
}

/** A share from 0 to 1, also in per cent: 0.03 or 3%. */
export function shareOrPercent(text: string): number {
  const [, digits = '', unit] = /^([\d.]+)\s*(%?)$/.exec(text) ?? [];
  const value = DECIMAL.test(digits) ? Number(digits) / (unit === '%' ? 100 : 1) : Number.NaN;
  if (value >= 0 && value <= 1) return value;
  throw new InvalidArgumentError('Expected a share from 0 to 1, such as 0.03 or 3%.');
}

/** A share between 0 and 1, both excluded, also in per cent: 0.08 or 8%. */
export function targetShare(text: string): number {
  const value = /^[\d.]+\s*%?$/.test(text) ? shareOrPercent(text) : Number.NaN;
  if (value > 0 && value < 1) return value;
  throw new InvalidArgumentError('Expected a share above 0 and below 1, such as 0.08 or 8%.');
}

const UNIT_S = { s: 1, m: 60, h: 3600, d: 86_400 } as const;

/** `90s`, `30m`, `2h`, `7d`: seconds. */
export function duration(text: string): number {
  const match = /^(\d{1,9})([smhd])$/.exec(text);
  const seconds = Number(match?.[1]) * UNIT_S[(match?.[2] ?? 's') as keyof typeof UNIT_S];
  if (seconds > 0) return seconds;
  throw new InvalidArgumentError('Expected a time such as 90s, 30m, 2h or 7d.');
}

/** `key=value`, may be repeated. */
export function keyValue(text: string, before: Record<string, string> = {}): Record<string, string> {
  const at = text.indexOf('=');
  if (at < 1) throw new InvalidArgumentError('Expected key=value.');
  return { ...before, [text.slice(0, at)]: text.slice(at + 1) };
}

/** An option that may be repeated, each value a comma-separated list. */
export function list(text: string, before: readonly string[] = []): string[] {
  const values = text.split(',').map((value) => value.trim());
  if (values.includes('')) throw new InvalidArgumentError('Expected values separated by commas.');
  return [...before, ...values];
}

/** `1x3x224x224`: the sizes of a tensor. */
export function sizes(text: string): number[] {
  const values = text.split('x').map(Number);
  if (values.every((value) => Number.isSafeInteger(value) && value > 0)) return values;
  throw new InvalidArgumentError('Expected sizes of at least 1 with x between them, such as 1x3x224x224.');
}

/** `1x3x224x224` for the first input, `mask=1x1x224x224` for the input with that name; the option may be repeated. */
export function inputSizes(text: string, before: InputSizes[] = []): InputSizes[] {
  const at = text.lastIndexOf('=');
  return [...before, { name: at < 0 ? null : text.slice(0, at), sizes: sizes(text.slice(at + 1)) }];
}
