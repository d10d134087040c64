import { NetworkError, type ReadOptions } from './network.js';
import type { Shape } from './shapes.js';

/** An input as a file describes it. A size is null if it is open, or a text if it is open and has a name. */
export interface DescribedInput {
  readonly name: string;
  /** null: the file does not describe the number of axes either. */
  readonly sizes: readonly (number | string | null)[] | null;
}

/** An input with its sizes. `shape` is null if the file leaves a size open and the options do not set it. */
export interface ResolvedInput extends DescribedInput {
  readonly shape: Shape | null;
}

export interface ResolvedInputs {
  readonly inputs: readonly ResolvedInput[];
  /** Sizes of the axes that have names. */
  readonly named: ReadonlyMap<string, number>;
}

/**
 * Determines the sizes of all inputs. Sizes that the file leaves open come from the options. If the first axis of an
 * input is open, it is the batch. Open axes with the same name have the same size.
 *
 * @throws NetworkError `bad-option` when an option does not fit the file, `unknown-size` when a size of the first
 * input stays open
 */
export function resolveInputs(described: readonly DescribedInput[], options: ReadOptions): ResolvedInputs {
  const given = givenSizes(described, options);
  const named = new Map<string, number>();
  for (const input of described) {
    const sizes = given.get(input.name);
    if (sizes !== undefined) checkAndName(input, sizes, named);
  }
  const batch = batchOf(described[0], given, named, options);
  const inputs = described.map(({ name, sizes }): ResolvedInput => {
    const exact = given.get(name);
    if (exact !== undefined) return { name, sizes, shape: exact };
    const filled = sizes?.map((size, axis) => {
      if (typeof size === 'number') return size;
      return (size === null ? undefined : named.get(size)) ?? (axis === 0 ? batch : null);
    });
    const shape = filled?.every((size) => size !== null) === true ? filled : null;
    return { name, shape, sizes: filled ?? null };
  });
  const [first] = inputs;
  if (first?.shape === null) throw openInput(first, true);
  checkBatch(first, options);
  return { inputs, named };
}

/** Returns the error that requests the sizes of an input. The first input needs no name. */
export function openInput({ name, sizes }: DescribedInput, isFirst: boolean): NetworkError {
  const known = sizes?.map((size) => (typeof size === 'number' ? size : '?')) ?? [];
  const example = known.map((size, axis) => (size !== '?' ? size : axis === 0 ? 1 : 224)).join('x');
  const named = name === '' || isFirst ? '' : `${name}=`;
  return new NetworkError(
    'unknown-size',
    `The file leaves the size of its input${name === '' ? '' : ` "${name}"`} open (${known.join('x') || 'unknown'}). ` +
      `Set it, for example ${named}${example || '1x3x224x224'}.`,
  );
}

function givenSizes(
  described: readonly DescribedInput[],
  { inputShape, inputs = {} }: ReadOptions,
): Map<string, Shape> {
  const given = new Map<string, Shape>();
  const [first] = described;
  if (inputShape !== undefined && first !== undefined) given.set(first.name, inputShape);
  for (const [name, sizes] of Object.entries(inputs)) {
    if (!described.some((input) => input.name === name)) {
      const names = described.map((input) => `"${input.name}"`).join(', ') || 'none';
      throw new NetworkError('bad-option', `The file has no input "${name}". It has these inputs: ${names}.`);
    }
    given.set(name, sizes);
  }
  return given;
}

function checkAndName({ name, sizes }: DescribedInput, given: Shape, named: Map<string, number>): void {
  if (sizes === null) return;
  const called = `The input${name === '' ? '' : ` "${name}"`}`;
  const shown = sizes.map((size) => size ?? '?').join('x');
  if (sizes.length !== given.length) {
    throw new NetworkError(
      'bad-option',
      `${called} has ${sizes.length} axes (${shown}), not ${given.length}.`,
    );
  }
  sizes.forEach((size, axis) => {
    const requested = given[axis] ?? 0;
    const fixed = typeof size === 'number' ? size : named.get(size ?? '');
    if (fixed !== undefined && fixed !== requested) {
      throw new NetworkError(
        'bad-option',
        `${called} cannot be ${given.join('x')}: the file fixes axis ${axis} at ${fixed} (${shown}).`,
      );
    }
    if (typeof size === 'string') named.set(size, requested);
  });
}

/** Returns the batch for inputs with an open batch. If the first axis of the first input has a name, sets its size. */
function batchOf(
  first: DescribedInput | undefined,
  given: ReadonlyMap<string, Shape>,
  named: Map<string, number>,
  { batch }: ReadOptions,
): number {
  const axis = first?.sizes?.[0] ?? null;
  const ofFirst = given.get(first?.name ?? '')?.[0];
  const size = batch ?? (typeof axis === 'number' ? 1 : (ofFirst ?? 1));
  if (typeof axis === 'string' && !named.has(axis)) named.set(axis, size);
  return size;
}

function checkBatch(first: ResolvedInput | undefined, { batch }: ReadOptions): void {
  if (batch === undefined || first?.shape == null || first.shape[0] === batch) return;
  throw new NetworkError(
    'bad-option',
    `The batch ${batch} cannot be applied: the first axis of the input${first.name === '' ? '' : ` "${first.name}"`} is ` +
      `${first.shape[0] ?? 'missing'} (${first.shape.join('x')}).`,
  );
}
