import { type Labels, LabelsSchema, specOfText } from '@alphaflops/contracts';
import type { ConvSpec } from '@alphaflops/conv';
import { InvalidArgumentError } from 'commander';
import { executorNamed, KNOWN_EXECUTORS } from '../executors.js';

/** Parsers of the values of options. Commander names the option and adds their message. */

/** @throws InvalidArgumentError when no executor has this name */
export function executorName(name: string): string {
  if (executorNamed(name) !== null) return name;
  throw new InvalidArgumentError(`Known executors: ${KNOWN_EXECUTORS.join(', ')}.`);
}

/** Parser of an option that may be repeated. */
export function executorNames(name: string, before: readonly string[] = []): readonly string[] {
  return [...new Set([...before, executorName(name)])];
}

/** @throws InvalidArgumentError for text without a visible character */
export function nonEmpty(text: string): string {
  if (text.trim() !== '') return text;
  throw new InvalidArgumentError('Expected a value that is not empty.');
}

export function workerName(text: string): string {
  if (text.length >= 1 && text.length <= 120) return text;
  throw new InvalidArgumentError('Expected 1 to 120 characters.');
}

/** Parser of `key=value`, for an option that may be repeated. */
export function label(text: string, before: Labels = {}): Labels {
  const at = text.indexOf('=');
  if (at < 1) throw new InvalidArgumentError('Expected key=value.');
  const labels = LabelsSchema.safeParse({ ...before, [text.slice(0, at)]: text.slice(at + 1) });
  if (labels.success) return labels.data;
  throw new InvalidArgumentError(labels.error.issues.map(({ message }) => message).join('; '));
}

/** @throws InvalidArgumentError naming what is wrong with the convolution */
export function spec(text: string): ConvSpec {
  try {
    return specOfText(text);
  } catch (error) {
    throw new InvalidArgumentError((error as RangeError).message);
  }
}

export function wholeNumber(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = /^\d{1,6}$/.test(text) ? Number(text) : Number.NaN;
    if (value >= min && value <= max) return value;
    throw new InvalidArgumentError(`Expected a whole number from ${min} to ${max}.`);
  };
}

const UNIT_MS = { s: 1_000, m: 60_000, h: 3_600_000, d: 24 * 3_600_000 };
/** Timers of Node do not support a longer time. */
const MAX_DURATION_MS = 24 * UNIT_MS.d;

/** `90s`, `30m`, `2h`, `7d`, up to 24 days: milliseconds. */
export function durationMs(text: string): number {
  const match = /^(\d{1,7})([smhd])$/.exec(text);
  const ms = Number(match?.[1]) * UNIT_MS[(match?.[2] ?? 's') as keyof typeof UNIT_MS];
  if (ms > 0 && ms <= MAX_DURATION_MS) return ms;
  throw new InvalidArgumentError('Expected a time such as 90s, 30m, 2h or 7d, up to 24d.');
}
