import { pow } from '@alphaflops/elementary';
import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64';
import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { mersenne } from 'pure-rand/generator/mersenne';

/** Random draws that are the same on every machine for the same seed. */
export class Draws {
  private readonly generator;

  /** @param seed an unsigned 32-bit integer */
  constructor(seed: number) {
    this.generator = mersenne(seed);
  }

  /** From 0, included, to 1, excluded. */
  uniform(): number {
    return uniformFloat64(this.generator);
  }

  chance(probability: number): boolean {
    return this.uniform() < probability;
  }

  /** Whole number, uniform from `low` to `high`, both included. */
  integer(low: number, high: number): number {
    return uniformInt(this.generator, low, high);
  }

  /** Whole number from `low` to `high`, both included, uniform in its logarithm. */
  logInteger(low: number, high: number): number {
    return Math.round(low * pow(high / low, this.uniform()));
  }

  oneOf<T>(choices: readonly [T, ...T[]]): T {
    return choices[this.integer(0, choices.length - 1)] ?? choices[0];
  }

  /** A new array with the same items in random order (Fisher and Yates). */
  shuffled<T>(items: readonly T[]): T[] {
    const keyed = [...items];
    for (let last = keyed.length - 1; last > 0; last--) {
      const other = this.integer(0, last);
      [keyed[last], keyed[other]] = [keyed[other] as T, keyed[last] as T];
    }
    return keyed;
  }
}
