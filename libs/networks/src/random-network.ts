import { encodeOnnx } from './onnx/encode.js';

const FLOAT = 1;
const INT64 = 7;
type Attributes = Readonly<Record<string, number | readonly number[] | string>>;

/** A seeded generator of integers (32-bit xorshift). */
export class Dice {
  private state: number;

  constructor(seed: number) {
    this.state = Math.imul(seed + 1, 0x9e3779b1) >>> 0 || 1;
    for (let warmUp = 0; warmUp < 20; warmUp++) this.roll(2);
  }

  /** Returns an integer from 0 to `sides − 1`. */
  roll(sides: number): number {
    let x = this.state;
    x ^= x << 13;
    x ^= x >>> 17;
    this.state = (x ^ (x << 5)) >>> 0;
    return this.state % sides;
  }

  between(least: number, most: number): number {
    return least + this.roll(most - least + 1);
  }

  pick<T>(values: readonly T[]): T {
    const value = values[this.roll(values.length)];
    if (value === undefined) throw new Error('nothing to pick from');
    return value;
  }
}

/**
 * Returns an ONNX file with a network of random operators, in the forms that exporters write. Its graph computes the
 * sizes, and the file does not describe the inner values.
 */
export class RandomNetwork {
  private readonly nodes: object[] = [];
  private readonly weights: object[] = [];
  private readonly dice: Dice;
  private names = 0;
  private last = 'x';
  /** Batch, channels, height and width of the last value. The generator updates them. */
  private shape: [number, number, number, number];
  private readonly input: number[];

  constructor(seed: number, steps: number) {
    this.dice = new Dice(seed);
    this.shape = [
      this.dice.between(1, 2),
      this.dice.pick([2, 4, 8]),
      this.dice.between(7, 12),
      this.dice.between(7, 12),
    ];
    this.input = [...this.shape];
    for (let step = 0; step < steps; step++) this.step();
    this.head();
  }

  /** `sorted`: each operator comes after the operators that it reads from, which other readers require. */
  file(order: 'sorted' | 'shuffled'): Uint8Array {
    const node = [...this.nodes];
    for (let at = order === 'sorted' ? 0 : node.length - 1; at > 0; at--) {
      const other = this.dice.roll(at + 1);
      [node[at], node[other]] = [node[other] ?? {}, node[at] ?? {}];
    }
    const dim = this.input.map((dimValue) => ({ dimValue }));
    return encodeOnnx(
      {
        ...{ name: 'random', node, initializer: this.weights },
        input: [{ name: 'x', type: { tensorType: { elemType: FLOAT, shape: { dim } } } }],
        output: [{ name: this.last, type: { tensorType: { elemType: FLOAT } } }],
      },
      { irVersion: 8, opsetImport: [{ domain: '', version: 17 }] },
    );
  }

  private add(opType: string, input: string[], attributes: Attributes = {}, outputs = 1): string {
    const output = Array.from({ length: outputs }, () => `v${this.names++}`);
    const attribute = Object.entries(attributes).map(([name, value]) => {
      if (typeof value === 'number') return { name, type: 2, i: value };
      if (typeof value === 'string') return { name, type: 3, s: Buffer.from(value) };
      return { name, type: 7, ints: value };
    });
    this.nodes.push({ opType, input, output, attribute, name: `n${this.names}` });
    return output[0] ?? '';
  }

  private weight(...dims: number[]): string {
    const name = `w${this.names++}`;
    const count = dims.reduce((all, size) => all * size, 1);
    this.weights.push({ name, dims, dataType: FLOAT, rawData: new Uint8Array(4 * count) });
    return name;
  }

  private integers(values: readonly number[], isScalar = false): string {
    const name = `i${this.names++}`;
    this.weights.push({ name, dims: isScalar ? [] : [values.length], dataType: INT64, int64Data: values });
    return name;
  }

  /** Computes the sizes of the last value in the graph, one for each position, or −1. */
  private sizes(...places: (number | 'open')[]): string {
    const all = this.add('Shape', [this.last]);
    const parts = places.map((place) =>
      place === 'open' ? this.integers([-1]) : this.add('Gather', [all, this.integers([place])], { axis: 0 }),
    );
    return this.add('Concat', parts, { axis: 0 });
  }

  private step(): void {
    const { dice } = this;
    const [batch, channels, height, width] = this.shape;
    switch (dice.roll(13)) {
      case 0:
      case 1: {
        const group = dice.pick([1, 1, channels]);
        const cout = group * dice.pick([1, 2]) * (group === 1 ? 2 : 1);
        const [kernel, stride, dilation] = [dice.between(1, 3), dice.between(1, 2), dice.between(1, 2)];
        const pads = [dice.roll(2), dice.roll(3), dice.roll(2), dice.roll(3)] as const;
        const extent = dilation * (kernel - 1) + 1;
        if (height < extent || width < extent) break;
        const weight = this.weight(cout, channels / group, kernel, kernel);
        const rest = { strides: [stride, 1], dilations: [dilation, dilation], pads, group };
        this.last = this.add('Conv', [this.last, weight], rest);
        const along = (size: number, zeros: number, step: number) =>
          Math.floor((size + zeros - extent) / step) + 1;
        this.shape = [
          batch,
          cout,
          along(height, pads[0] + pads[2], stride),
          along(width, pads[1] + pads[3], 1),
        ];
        break;
      }
      case 2: {
        if (height > 12 || width > 12) break;
        const extra = dice.roll(2);
        const rest = { strides: [2, 2], pads: [1, 1, 1, 1], output_padding: [extra, 0] };
        this.last = this.add('ConvTranspose', [this.last, this.weight(channels, 2, 3, 3)], rest);
        this.shape = [batch, 2, 2 * height - 1 + extra, 2 * width - 1];
        break;
      }
      case 3: {
        if (height < 4 || width < 4) break;
        const ceil = dice.roll(2);
        const rest = { kernel_shape: [3, 2], strides: [2, 2], ceil_mode: ceil };
        this.last = this.add('MaxPool', [this.last], rest);
        const along = (size: number, kernel: number) =>
          Math[ceil === 1 ? 'ceil' : 'floor']((size - kernel) / 2) + 1;
        this.shape = [batch, channels, along(height, 3), along(width, 2)];
        break;
      }
      case 4: {
        // ZeroPad2d as TorchScript writes it: the pads start with the last axis, and the graph reverses them.
        const [left, right, top, bottom] = [dice.roll(3), dice.roll(2), dice.roll(3), dice.roll(2)];
        const zeros = this.add('ConstantOfShape', [this.integers([4])]);
        const rest = this.add('Cast', [zeros], { to: INT64 });
        const pairs = this.add('Concat', [this.integers([left, right, top, bottom]), rest], { axis: 0 });
        const rows = this.add('Reshape', [pairs, this.integers([-1, 2])]);
        const bounds = [[-1], [-9223372036854775000], [0], [-1]].map((value) => this.integers(value));
        const turned = this.add('Transpose', [this.add('Slice', [rows, ...bounds])], { perm: [1, 0] });
        const pads = this.add('Reshape', [turned, this.integers([-1])]);
        this.last = this.add('Pad', [this.last, pads], { mode: 'constant' });
        this.shape = [batch, channels, height + top + bottom, width + left + right];
        break;
      }
      case 5: {
        if (width < 4) break;
        const bounds = [[-1], [0], [3], [-2]].map((value) => this.integers(value));
        this.last = this.add('Slice', [this.last, ...bounds]);
        this.shape = [batch, channels, height, Math.ceil((width - 1) / 2)];
        break;
      }
      case 6:
        if (channels > 8) break;
        this.last = this.add('Concat', [this.last, this.add('Relu', [this.last])], { axis: 1 });
        this.shape = [batch, 2 * channels, height, width];
        break;
      case 7:
        if (channels % 4 !== 0 || height > 12 || width > 12) break;
        this.last = this.add('DepthToSpace', [this.last], { blocksize: 2, mode: 'CRD' });
        this.shape = [batch, channels / 4, 2 * height, 2 * width];
        break;
      case 8: {
        const flat = this.add('Reshape', [this.last, this.sizes(0, 'open', 3)]);
        this.last = this.add('Reshape', [flat, this.integers([batch, channels, height, width])]);
        break;
      }
      case 9: {
        if (channels < 2) break;
        this.last = this.add('Split', [this.last, this.integers([1, channels - 1])], { axis: 1 }, 2);
        this.shape = [batch, 1, height, width];
        break;
      }
      case 10: {
        // expand(-1, …) as TorchScript writes it.
        const ones = this.add('ConstantOfShape', [this.integers([4])]);
        const requested = this.integers([-1, channels, 1, 1]);
        const isOpen = this.add('Equal', [requested, this.integers([-1, -1, -1, -1])]);
        const size = this.add('Where', [isOpen, this.add('Cast', [ones], { to: INT64 }), requested]);
        const filled = this.add('Where', [isOpen, this.integers([1, 1, 1, 1]), requested]);
        this.add('Mul', [size, size]);
        this.last = this.add('Add', [this.last, this.add('Expand', [this.weight(1, 1, 1, 1), filled])]);
        break;
      }
      case 11: {
        const rows = this.add('Transpose', [this.last], { perm: [0, 2, 3, 1] });
        const product = this.add('MatMul', [rows, this.weight(channels, 3)]);
        this.last = this.add('Transpose', [product], { perm: [0, 3, 1, 2] });
        this.shape = [batch, 3, height, width];
        break;
      }
      default:
        this.last = this.add('Einsum', [this.last, this.weight(channels, 2)], { equation: 'bchw,cd->bdhw' });
        this.shape = [batch, 2, height, width];
    }
  }

  private head(): void {
    const [, channels] = this.shape;
    const pooled = this.add('ReduceMean', [this.last], { axes: [2, 3], keepdims: 0 });
    this.last = this.add('Gemm', [pooled, this.weight(5, channels)], { transB: 1 });
  }
}
