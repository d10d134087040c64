/** Neighbouring values of an axis at which the same device class is the fastest. */
export interface Run {
  readonly from: number;
  readonly to: number;
  /** Index of the class; null: all are equal, or a cost is unknown. */
  readonly winner: number | null;
}

/** * Finds the runs along an axis.
 * @param values of the axis, rising
 * @param costs of each class at each value
 */
export function runsOf(values: readonly number[], costs: readonly (readonly number[])[]): Run[] {
  const runs: { from: number; to: number; winner: number | null }[] = [];
  for (const [at, value] of values.entries()) {
    const winner = leastOf(costs.map((row) => row[at] ?? NaN));
    const last = runs.at(-1);
    if (last?.winner === winner) last.to = value;
    else runs.push({ from: value, to: value, winner });
  }
  return runs;
}

export interface Share {
  /** Layers at which the class is the fastest. */
  readonly layers: number;
  /** Share of these layers in all multiply-adds, 0…1. */
  readonly macsShare: number;
}

/**
 * The layers of a network for which each class is the fastest.
 * @param times of each class for each layer, ms
 * @param macs multiply-adds of each layer
 */
export function sharesOf(times: readonly (readonly number[])[], macs: readonly number[]): Share[] {
  const total = macs.reduce((sum, each) => sum + each, 0);
  const winners = macs.map((_, layer) => leastOf(times.map((row) => row[layer] ?? NaN)));
  return times.map((_, place) => {
    const won = macs.filter((__, layer) => winners[layer] === place);
    return { layers: won.length, macsShare: won.reduce((sum, each) => sum + each, 0) / total };
  });
}

/** Index of the only smallest value; null if several values are the smallest or one is not a number. */
function leastOf(values: readonly number[]): number | null {
  const least = Math.min(...values);
  const places = [...values.keys()].filter((place) => values[place] === least);
  return places.length === 1 ? (places[0] ?? null) : null;
}
