import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';
import { binned, binOf } from './bins.js';
import { boost, type BoostOptions } from './boost.js';
import { FEATURES } from './features.js';
import { Forests, storedTree, StoredTreeSchema } from './forest.js';

const random = (seed: number) => {
  const generator = xoroshiro128plus(seed);
  return () => (generator.next() >>> 0) / 2 ** 32;
};
const uniform = random(3);
const N = 1200;
const columns = [0, 1, 2].map(() => Float64Array.from({ length: N }, uniform));
const [x, y] = [columns[0] ?? new Float64Array(), columns[1] ?? new Float64Array()];
const truth = (i: number): number => ((x[i] ?? 0) > 0.4 ? 1 : 0) + 2 * (y[i] ?? 0);
const features = columns.map(binned);
const target = Float64Array.from({ length: N }, (_, i) => truth(i));
const rows = Int32Array.from({ length: N }, (_, i) => i);
const training = rows.filter((i) => i % 4 > 0);
const validation = rows.filter((i) => i % 4 === 0);
const options: BoostOptions = {
  loss: 'absolute',
  learningRate: 0.2,
  mostTrees: 100,
  featureShare: 1,
  rowShare: 0.8,
  mostLeaves: 8,
  least: 5,
  shrinkage: 1,
  seed: 7,
};
const error = (values: Float64Array, of: Int32Array): number =>
  of.reduce((sum, i) => sum + Math.abs((values[i] ?? NaN) - truth(i)), 0) / of.length;

describe('bins', () => {
  it('hold the values between their edges', () => {
    const { edges, bins } = binned(Float64Array.from([3, 1, 2, 2, 1]));
    expect([...edges]).toEqual([1.5, 2.5]);
    expect([...bins]).toEqual([2, 0, 1, 1, 0]);
  });

  it('are at most 255 and about equally full', () => {
    const { edges, bins } = binned(Float64Array.from({ length: 10_000 }, (_, i) => Math.exp(i / 1000)));
    expect(edges.length).toBe(254);
    const counts = new Array<number>(255).fill(0);
    for (const bin of bins) counts[bin] = (counts[bin] ?? 0) + 1;
    expect(Math.max(...counts)).toBeLessThan(42);
    expect(Math.min(...counts)).toBeGreaterThan(37);
  });

  it('are found again from a value', () => {
    const { edges, bins } = features[0] ?? binned(x);
    expect([...x].map((value) => binOf(edges, value))).toEqual([...bins]);
  });
});

describe('boosting', () => {
  it('predicts steps and slopes on unseen rows', () => {
    const { values } = boost(features, target, training, validation, options);
    expect(error(values, validation)).toBeLessThan(0.06);
  });

  it('with absolute loss ignores a minority of outliers, and with squared loss does not', () => {
    // every tenth training target is off by 1000
    const wild = target.map((value, i) => (i % 10 === 3 ? value + 1000 : value));
    // leaves so large that outliers are never the majority in one
    const large = { ...options, least: 60 };
    expect(error(boost(features, wild, training, null, large).values, validation)).toBeLessThan(0.2);
    const squared = boost(features, wild, training, null, { ...large, loss: 'squared' });
    expect(error(squared.values, validation)).toBeGreaterThan(5);
  });

  it('keeps no trees when the target is noise', () => {
    const coin = random(11);
    const noise = Float64Array.from({ length: N }, () => coin() - 0.5);
    const { trees } = boost(features, noise, training, validation, options);
    expect(trees.length).toBeLessThan(25);
  });

  it('depends only on the seed', () => {
    const run = (seed: number) =>
      JSON.stringify(boost(features, target, training, validation, { ...options, seed }).trees);
    expect(run(7)).toBe(run(7));
    expect(run(7)).not.toBe(run(8));
  });

  it('respects the limits of a tree', () => {
    const { trees } = boost(features, target, training, null, { ...options, mostLeaves: 4, mostTrees: 10 });
    expect(trees).toHaveLength(10);
    for (const { leaves, feature } of trees) {
      expect(leaves.length).toBeLessThanOrEqual(4);
      expect(feature.length).toBe(leaves.length - 1);
    }
  });

  it('never falls along a monotone feature, and still learns what rises', () => {
    // falls along x, rises along y
    const mixed = Float64Array.from({ length: N }, (_, i) => 2 * (y[i] ?? 0) - 3 * (x[i] ?? 0));
    const rising = new Set([0, 1]);
    const { trees } = boost(features, mixed, training, validation, { ...options, rising });
    const forests = new Forests([trees.map((tree) => storedTree(tree, features))], 3, (f) => f);
    const at = (...vector: number[]): number => {
      const out = new Float64Array(1);
      forests.values(Float64Array.from(vector), out);
      return out[0] ?? NaN;
    };
    const steps = Array.from({ length: 60 }, (_, k) => k / 59);
    for (const other of [0.1, 0.5, 0.9]) {
      for (const along of [steps.map((v) => at(v, other, 0.5)), steps.map((v) => at(other, v, 0.5))]) {
        expect(along).toEqual([...along].sort((a, b) => a - b));
      }
    }
    expect(at(0.5, 0.95, 0.5) - at(0.5, 0.05, 0.5)).toBeGreaterThan(1);
    // without the constraint it falls
    const free = boost(features, mixed, training, validation, options);
    expect(free.values[x.indexOf(Math.max(...x))]).toBeLessThan(free.values[x.indexOf(Math.min(...x))] ?? 0);
  });

  it('makes no trees of features that do not vary', () => {
    const flat = [binned(new Float64Array(N).fill(1))];
    expect(boost(flat, target, training, validation, options).trees).toEqual([]);
  });
});

describe('a stored forest', () => {
  const { trees, values } = boost(features, target, training, validation, options);
  const stored = trees.map((tree) => storedTree(tree, features));
  const vectorOf = (i: number): Float64Array => {
    const vector = new Float64Array(FEATURES.length);
    columns.forEach((column, f) => (vector[f] = column[i] ?? 0));
    return vector;
  };

  const valuesOf = (forests: Forests, vector: Float64Array, count = 1): number[] => {
    const out = new Float64Array(count);
    forests.values(vector, out);
    return [...out];
  };
  const same = (feature: number): number => feature;

  it('gives the values of the boosting, also after JSON', () => {
    const forests = new Forests([JSON.parse(JSON.stringify(stored)) as typeof stored], 3, same);
    for (let i = 0; i < N; i += 7) expect(valuesOf(forests, vectorOf(i))[0]).toBeCloseTo(values[i] ?? NaN, 9);
  });

  it('finds the features of each forest at their declared places', () => {
    const forests = new Forests([stored, [], stored.slice(0, 1)], 5, (feature, forest) =>
      feature === 0 ? [3, 0, 4][forest] : feature,
    );
    const vector = Float64Array.from([9, y[5] ?? 0, columns[2]?.[5] ?? 0, x[5] ?? 0, x[6] ?? 0]);
    const [whole, none, first] = valuesOf(forests, vector, 3);
    expect(whole).toBeCloseTo(values[5] ?? NaN, 9);
    expect(none).toBe(0);
    const moved = vectorOf(5);
    moved[0] = x[6] ?? 0;
    expect(first).toBe(valuesOf(new Forests([stored.slice(0, 1)], 3, same), moved)[0]);
  });

  it('treats a value equal to the bound as below it', () => {
    const tree = { feature: [1, 0], atMost: [2, 5], lower: [1, -1], upper: [-3, -2], leaves: [10, 20, 30] };
    const forests = new Forests([[tree]], 2, same);
    const at = (a: number, b: number) => valuesOf(forests, Float64Array.from([a, b]))[0];
    expect([at(5, 2), at(5.1, 2), at(0, 2.1), at(NaN, NaN)]).toEqual([10, 20, 30, 10]);
  });

  it('has trees of up to 32 leaves', () => {
    // leaf k holds values in (k − 1, k]
    const chain = {
      feature: Array.from({ length: 31 }, () => 0),
      atMost: Array.from({ length: 31 }, (_, k) => k),
      lower: Array.from({ length: 31 }, (_, k) => -1 - k),
      upper: Array.from({ length: 31 }, (_, k) => (k < 30 ? k + 1 : -32)),
      leaves: Array.from({ length: 32 }, (_, k) => k),
    };
    expect(StoredTreeSchema.safeParse(chain).success).toBe(true);
    expect(StoredTreeSchema.safeParse({ ...chain, leaves: [...chain.leaves, 1] }).success).toBe(false);
    const forests = new Forests([[chain]], 1, same);
    const found = chain.leaves.map((k) => valuesOf(forests, Float64Array.from([k - 0.5]))[0]);
    expect(found).toEqual(chain.leaves);
  });

  it.each([
    [{ feature: [0], atMost: [0], lower: [0], upper: [-1], leaves: [1] }, /node 0 leads to 0/],
    [{ feature: [0], atMost: [0], lower: [-3], upper: [-1], leaves: [1, 2] }, /node 0 leads to -3/],
    [{ feature: [9], atMost: [0], lower: [-1], upper: [-2], leaves: [1, 2] }, /no known feature/],
    // both sides of every node lead to the next one: 2¹⁰ ways
    [
      {
        feature: Array.from({ length: 10 }, () => 0),
        atMost: Array.from({ length: 10 }, () => 0),
        lower: Array.from({ length: 10 }, (_, k) => (k < 9 ? k + 1 : -1)),
        upper: Array.from({ length: 10 }, (_, k) => (k < 9 ? k + 1 : -1)),
        leaves: [1, 2],
      },
      /leads to/,
    ],
  ])('is refused when a node has a wrong index: %#', (tree, reason) => {
    expect(() => new Forests([[tree]], 3, same)).toThrow(reason);
  });
});
