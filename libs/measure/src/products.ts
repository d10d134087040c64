import {
  dilationH,
  dilationW,
  outputSize,
  paddingSizes,
  passOf,
  strideH,
  strideW,
  type ConvSpec,
} from '@alphaflops/conv';
import type { InputName } from './seeded-inputs.js';

/**
 * Order of a buffer's axes, slowest first: images, channels, height, width / outputs, inputs, height, width. The gradient
 * of the output has the order of the input.
 */
export interface BufferOrder {
  readonly input: 'NCHW' | 'NHWC';
  readonly weights: 'OIHW' | 'OHWI' | 'HWIO';
}

/**
 * One element of the result of a pass: of the output, or of the gradient of the input. In the gradient of the weights, `image`
 * is the filter (output channel), `row` and `column` are inside the kernel, and `channel` is the input channel in its group.
 */
export interface OutputPoint {
  readonly image: number;
  readonly row: number;
  readonly column: number;
  readonly channel: number;
}

/** Receives the positions of the two factors of a product in their buffers. */
type Visit = (first: number, second: number) => void;

/** The products whose sum is one element of a result. */
export interface Products {
  /** The two tensors that the pass reads. */
  readonly first: InputName;
  readonly second: InputName;
  /** Visits every product whose factors are not padding. */
  readonly forEachProduct: (point: OutputPoint, visit: Visit) => void;
}

/** The products for the pass of a spec, for buffers in this order. */
export function productsOf(spec: ConvSpec, order: BufferOrder): Products {
  switch (passOf(spec)) {
    case 'forward':
      return { first: 'input', second: 'weights', forEachProduct: forward(new Tensors(spec, order)) };
    case 'backward-data':
      return { first: 'gradient', second: 'weights', forEachProduct: backwardData(new Tensors(spec, order)) };
    case 'backward-weights':
      return {
        first: 'input',
        second: 'gradient',
        forEachProduct: backwardWeights(new Tensors(spec, order)),
      };
  }
}

/** y[image, row, column, o] = Σ x[image, row·s − p + kh·d, …, i] · w[o, i, kh, kw] over kh, kw and the inputs i of its group. */
function forward({ spec, rows, columns, inputs, outputs, x, w }: Tensors): Products['forEachProduct'] {
  return ({ image, row, column, channel }, visit) => {
    const firstInput = Math.floor(channel / outputs) * inputs;
    for (let kh = 0; kh < spec.kernel_h; kh++) {
      const h = rows.input(row, kh);
      if (h < 0 || h >= spec.height) continue;
      for (let kw = 0; kw < spec.kernel_w; kw++) {
        const v = columns.input(column, kw);
        if (v < 0 || v >= spec.width) continue;
        const a = image * x.N + h * x.H + v * x.W + firstInput * x.C;
        const b = channel * w.O + kh * w.H + kw * w.W;
        for (let i = 0; i < inputs; i++) visit(a + i * x.C, b + i * w.I);
      }
    }
  };
}

/** dx[image, row, column, i] = Σ dy[image, h, v, o] · w[o, i, kh, kw] over the outputs that have read it, and o of its group. */
function backwardData({ spec, rows, columns, inputs, outputs, dy, w }: Tensors): Products['forEachProduct'] {
  return ({ image, row, column, channel }, visit) => {
    const firstOutput = Math.floor(channel / inputs) * outputs;
    for (let kh = 0; kh < spec.kernel_h; kh++) {
      const h = rows.output(row, kh);
      if (h === null) continue;
      for (let kw = 0; kw < spec.kernel_w; kw++) {
        const v = columns.output(column, kw);
        if (v === null) continue;
        const a = image * dy.N + h * dy.H + v * dy.W + firstOutput * dy.C;
        const b = firstOutput * w.O + (channel % inputs) * w.I + kh * w.H + kw * w.W;
        for (let o = 0; o < outputs; o++) visit(a + o * dy.C, b + o * w.O);
      }
    }
  };
}

/** dw[o, i, kh, kw] = Σ x[n, h·s − p + kh·d, …, i of o's group] · dy[n, h, v, o] over images n and output points. */
function backwardWeights({
  spec,
  rows,
  columns,
  inputs,
  outputs,
  x,
  dy,
}: Tensors): Products['forEachProduct'] {
  return ({ image: filter, row: kh, column: kw, channel }, visit) => {
    const input = Math.floor(filter / outputs) * inputs + channel;
    for (let n = 0; n < spec.batch; n++) {
      for (let row = 0; row < rows.outputs; row++) {
        const h = rows.input(row, kh);
        if (h < 0 || h >= spec.height) continue;
        for (let column = 0; column < columns.outputs; column++) {
          const v = columns.input(column, kw);
          if (v < 0 || v >= spec.width) continue;
          visit(
            n * x.N + h * x.H + v * x.W + input * x.C,
            n * dy.N + row * dy.H + column * dy.W + filter * dy.C,
          );
        }
      }
    }
  };
}

/** How output, kernel and input points depend on each other along one axis. */
class Axis {
  constructor(
    readonly outputs: number,
    private readonly stride: number,
    private readonly dilation: number,
    private readonly before: number,
  ) {}

  /** The input point that an output point reads through a kernel point. Points outside the input are padding. */
  input(output: number, kernel: number): number {
    return output * this.stride - this.before + kernel * this.dilation;
  }

  /** The output point that reads an input point through a kernel point; null if none does. */
  output(input: number, kernel: number): number | null {
    const distance = input + this.before - kernel * this.dilation;
    const output = distance / this.stride;
    return distance >= 0 && Number.isInteger(output) && output < this.outputs ? output : null;
  }
}

/** The geometry of a spec, and the strides of the buffers of its tensors. */
class Tensors {
  readonly rows: Axis;
  readonly columns: Axis;
  /** Input and output channels of one group. */
  readonly inputs: number;
  readonly outputs: number;
  readonly x: Record<'N' | 'C' | 'H' | 'W', number>;
  readonly dy: Record<'N' | 'C' | 'H' | 'W', number>;
  readonly w: Record<'O' | 'I' | 'H' | 'W', number>;

  constructor(
    readonly spec: ConvSpec,
    order: BufferOrder,
  ) {
    const { batch, height, width, cin, cout, groups, kernel_h, kernel_w } = spec;
    const output = outputSize(spec);
    const { top, left } = paddingSizes(spec);
    this.rows = new Axis(output.height, strideH(spec), dilationH(spec), top);
    this.columns = new Axis(output.width, strideW(spec), dilationW(spec), left);
    this.inputs = cin / groups;
    this.outputs = cout / groups;
    this.x = strides(order.input, { N: batch, C: cin, H: height, W: width });
    this.dy = strides(order.input, { N: batch, C: cout, H: output.height, W: output.width });
    this.w = strides(order.weights, { O: cout, I: this.inputs, H: kernel_h, W: kernel_w });
  }
}

/** Distance in elements between neighbours along each axis. */
function strides<Axis extends string>(order: string, sizes: Record<Axis, number>): Record<Axis, number> {
  const result = { ...sizes };
  let distance = 1;
  for (let position = order.length - 1; position >= 0; position--) {
    const axis = order.charAt(position) as Axis;
    result[axis] = distance;
    distance *= sizes[axis];
  }
  return result;
}
