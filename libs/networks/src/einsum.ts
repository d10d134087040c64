import type { Shape } from './shapes.js';

/** A product of tensors with named axes: the names and sizes of the axes, and the axes of each operand. */
export interface Contraction {
  /** The axes of each operand by their names. */
  readonly operands: readonly (readonly string[])[];
  readonly output: readonly string[];
  readonly sizes: ReadonlyMap<string, number>;
}

/**
 * Parses an Einstein summation in NumPy notation, `bij,bjk->bik`. Returns null if the equation does not fit the
 * shapes.
 */
export function contractionOf(equation: string, shapes: readonly Shape[]): Contraction | null {
  const [left = '', right] = equation.replace(/\s/g, '').split('->');
  const terms = left.split(',');
  if (terms.length !== shapes.length) return null;
  const sizes = new Map<string, number>();
  const operands: string[][] = [];
  for (const [at, term] of terms.entries()) {
    const shape = shapes[at] ?? [];
    const axes = namedAxes(term, shape.length);
    if (axes === null) return null;
    for (const [axis, name] of axes.entries()) {
      const [size, known] = [shape[axis] ?? 1, sizes.get(name) ?? 1];
      if (size !== known && size !== 1 && known !== 1) return null;
      sizes.set(name, Math.max(size, known));
    }
    operands.push(axes);
  }
  const output = right === undefined ? implicitOutput(operands) : outputAxes(right, operands);
  return output.every((name) => sizes.has(name)) ? { operands, output, sizes } : null;
}

/** Returns the axes by name. The axes of `...` are numbered from the last one. */
function namedAxes(term: string, rank: number): string[] | null {
  const [before = '', after] = term.split('...');
  if (after === undefined) return before.length === rank ? before.split('') : null;
  const count = rank - before.length - after.length;
  if (count < 0) return null;
  const ellipsis = Array.from({ length: count }, (_, at) => `.${count - at}`);
  return [...before.split(''), ...ellipsis, ...after.split('')];
}

function ellipsisOf(operands: readonly (readonly string[])[]): string[] {
  const all = new Set(operands.flat().filter((name) => name.startsWith('.')));
  return [...all].sort((a, b) => Number(b.slice(1)) - Number(a.slice(1)));
}

function outputAxes(term: string, operands: readonly (readonly string[])[]): string[] {
  const [before = '', after] = term.split('...');
  if (after === undefined) return before.split('');
  return [...before.split(''), ...ellipsisOf(operands), ...after.split('')];
}

/** The output of an equation without an arrow: the axes that appear once, in alphabetical order. */
function implicitOutput(operands: readonly (readonly string[])[]): string[] {
  const names = operands.flat().filter((name) => !name.startsWith('.'));
  const once = names.filter((name) => names.indexOf(name) === names.lastIndexOf(name));
  return [...ellipsisOf(operands), ...once.sort()];
}

export function sizesOf({ sizes }: Contraction, names: readonly string[]): number[] {
  return names.map((name) => sizes.get(name) ?? 1);
}
