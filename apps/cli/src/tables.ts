import { styleText } from 'node:util';
import Table from 'cli-table3';

const NO_BORDERS = {
  ...{ top: '', 'top-mid': '', 'top-left': '', 'top-right': '' },
  ...{ bottom: '', 'bottom-mid': '', 'bottom-left': '', 'bottom-right': '' },
  ...{ left: '', 'left-mid': '', mid: '', 'mid-mid': '', right: '', 'right-mid': '', middle: '' },
};

/**
 * A plain table: one line per row, columns by width, no borders, bold heads on a terminal. Columns from `rightFrom` on are numbers and are
 * aligned to the right.
 */
export function table(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  rightFrom: number = head.length,
): string {
  const drawn = new Table({
    head: head.map((title) => styleText('bold', title, { stream: process.stdout })),
    chars: NO_BORDERS,
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 2 },
    colAligns: head.map((_, at) => (at < rightFrom ? 'left' : 'right')),
  });
  drawn.push(...rows.map((row) => [...row]));
  return drawn
    .toString()
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n');
}

/** Indents every line. */
export function indented(text: string): string {
  return text.replaceAll(/^(?=.)/gm, '  ');
}

/** Milliseconds with a useful number of digits. */
export function ms(value: number | null): string {
  return value === null ? 'unknown' : `${significant(value)} ms`;
}

/** Four significant digits, with an exponent only for very large and very small numbers. */
export function significant(value: number, digits = 4): string {
  const rounded = Number(value.toPrecision(digits));
  const size = Math.abs(rounded);
  return size !== 0 && (size < 1e-6 || size >= 1e9) ? rounded.toExponential(digits - 1) : String(rounded);
}

/** "1 layer", "2 layers". */
export function counted(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}

export function seconds(value: number): string {
  const whole = Math.round(value);
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
}

export function json(value: unknown): string {
  return JSON.stringify(value, null, 2);
}
