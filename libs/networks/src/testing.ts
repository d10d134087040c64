import { encodeOnnx } from './onnx/encode.js';

export { evaluateOnnx } from './onnx/read-onnx.js';
export { RandomNetwork } from './random-network.js';

/** One step of a network, as the papers' tables have them: NCHW in ONNX, NHWC in Keras. */
export type Step =
  | {
      kind: 'conv';
      name: string;
      from: string;
      cin: number;
      cout: number;
      kernel: number;
      stride?: number;
      groups?: number;
      padding: 'torch' | 'valid';
    }
  | { kind: 'max-pool'; name: string; from: string; kernel: number; stride: number; pad: number }
  | { kind: 'add'; name: string; from: string; and: string }
  | { kind: 'relu' | 'global-pool' | 'flatten'; name: string; from: string }
  | { kind: 'dense'; name: string; from: string; cin: number; cout: number };

/** Appends steps that follow each other. */
export class Architecture {
  readonly steps: Step[] = [];
  last = 'image';

  add<S extends Step>(step: Omit<S, 'name' | 'from'> & { from?: string }): string {
    const name = `${step.kind}_${this.steps.length}`;
    this.steps.push({ from: this.last, ...step, name } as unknown as Step);
    this.last = name;
    return name;
  }

  conv(
    cin: number,
    cout: number,
    kernel: number,
    more: { stride?: number; groups?: number; from?: string } = {},
  ) {
    return this.add<Step & { kind: 'conv' }>({ kind: 'conv', cin, cout, kernel, padding: 'torch', ...more });
  }

  dense(cin: number, cout: number) {
    return this.add<Step & { kind: 'dense' }>({ kind: 'dense', cin, cout });
  }

  simple(kind: 'relu' | 'global-pool' | 'flatten') {
    return this.add<Step & { kind: 'relu' }>({ kind: kind as 'relu' });
  }

  maxPool(kernel: number, stride: number, pad: number) {
    return this.add<Step & { kind: 'max-pool' }>({ kind: 'max-pool', kernel, stride, pad });
  }

  sum(a: string, b: string) {
    return this.add<Step & { kind: 'add' }>({ kind: 'add', from: a, and: b });
  }
}

/** He et al. 2015, table 1, with the stride in the 3×3 convolution as torchvision has it. */
export function resNet50(): Architecture {
  const net = new Architecture();
  net.conv(3, 64, 7, { stride: 2 });
  net.simple('relu');
  net.maxPool(3, 2, 1);
  let cin = 64;
  for (const [width, blocks, firstStride] of [
    [64, 3, 1],
    [128, 4, 2],
    [256, 6, 2],
    [512, 3, 2],
  ] as const) {
    for (let block = 0; block < blocks; block++) {
      const stride = block === 0 ? firstStride : 1;
      const input = net.last;
      net.conv(cin, width, 1);
      net.conv(width, width, 3, { stride });
      const branch = net.conv(width, 4 * width, 1);
      const shortcut = block === 0 ? net.conv(cin, 4 * width, 1, { stride, from: input }) : input;
      net.sum(branch, shortcut);
      net.simple('relu');
      cin = 4 * width;
    }
  }
  net.simple('global-pool');
  net.simple('flatten');
  net.dense(2048, 1000);
  return net;
}

/** Simonyan and Zisserman 2014, configuration D. */
export function vgg16(): Architecture {
  const net = new Architecture();
  let cin = 3;
  for (const [width, count] of [
    [64, 2],
    [128, 2],
    [256, 3],
    [512, 3],
    [512, 3],
  ] as const) {
    for (let i = 0; i < count; i++) {
      net.conv(cin, width, 3);
      net.simple('relu');
      cin = width;
    }
    net.maxPool(2, 2, 0);
  }
  net.simple('flatten');
  net.dense(512 * 7 * 7, 4096);
  net.dense(4096, 4096);
  net.dense(4096, 1000);
  return net;
}

/** Sandler et al. 2018, table 2. */
export function mobileNetV2(): Architecture {
  const net = new Architecture();
  net.conv(3, 32, 3, { stride: 2 });
  let cin = 32;
  for (const [expansion, cout, count, firstStride] of [
    [1, 16, 1, 1],
    [6, 24, 2, 2],
    [6, 32, 3, 2],
    [6, 64, 4, 2],
    [6, 96, 3, 1],
    [6, 160, 3, 2],
    [6, 320, 1, 1],
  ] as const) {
    for (let i = 0; i < count; i++) {
      const input = net.last;
      const wide = cin * expansion;
      if (expansion !== 1) net.conv(cin, wide, 1);
      net.conv(wide, wide, 3, { stride: i === 0 ? firstStride : 1, groups: wide });
      const branch = net.conv(wide, cout, 1);
      if (i > 0) net.sum(branch, input);
      cin = cout;
    }
  }
  net.conv(320, 1280, 1);
  net.simple('global-pool');
  net.simple('flatten');
  net.dense(1280, 1000);
  return net;
}

const FLOAT = 1;
const valueInfo = (name: string, sizes: (number | string)[]) => ({
  name,
  type: {
    tensorType: {
      elemType: FLOAT,
      shape: {
        dim: sizes.map((size) => (typeof size === 'number' ? { dimValue: size } : { dimParam: size })),
      },
    },
  },
});

/** The network as an ONNX file; its weights have sizes and no values, which keeps the file small. */
export function onnxFile(
  { steps }: Architecture,
  input: (number | string)[] = ['N', 3, 224, 224],
): Uint8Array {
  const weight = (name: string, dims: number[]) => ({ name, dims, dataType: FLOAT });
  const ints = (name: string, ...values: number[]) => ({ name, ints: values });
  const weights = steps.flatMap((step) => {
    if (step.kind === 'dense') return [weight(`${step.name}.weight`, [step.cout, step.cin])];
    if (step.kind !== 'conv') return [];
    const { name, cin, cout, kernel, groups = 1 } = step;
    return [weight(`${name}.weight`, [cout, cin / groups, kernel, kernel])];
  });
  const node = steps.map((step) => {
    const named = { name: step.name, output: [step.name], input: [step.from] };
    switch (step.kind) {
      case 'conv': {
        const { kernel, stride = 1, groups = 1, padding } = step;
        const pad = padding === 'torch' ? (kernel - 1) / 2 : 0;
        return {
          ...named,
          opType: 'Conv',
          input: [step.from, `${step.name}.weight`],
          attribute: [
            ints('strides', stride, stride),
            ints('pads', pad, pad, pad, pad),
            { name: 'group', i: groups },
          ],
        };
      }
      case 'dense':
        return {
          ...named,
          opType: 'Gemm',
          input: [step.from, `${step.name}.weight`],
          attribute: [{ name: 'transB', i: 1 }],
        };
      case 'max-pool': {
        const { kernel, stride, pad } = step;
        const attribute = [
          ints('kernel_shape', kernel, kernel),
          ints('strides', stride, stride),
          ints('pads', pad, pad, pad, pad),
        ];
        return { ...named, opType: 'MaxPool', attribute };
      }
      case 'add':
        return { ...named, opType: 'Add', input: [step.from, step.and] };
      default:
        return {
          ...named,
          opType: { relu: 'Relu', 'global-pool': 'GlobalAveragePool', flatten: 'Flatten' }[step.kind],
        };
    }
  });
  return encodeOnnx({ name: 'network', node, input: [valueInfo('image', input)], initializer: weights });
}

/** The network as Keras 2 or 3 would describe it; padding as PyTorch's is a layer of its own there. */
export function kerasJson({ steps }: Architecture, version: 2 | 3, size: number | null = 224) {
  const inbound = (...names: string[]) =>
    version === 2
      ? [names.map((name) => [name, 0, 0, {}])]
      : [
          {
            args: [
              names.map((name) => ({
                class_name: '__keras_tensor__',
                config: { keras_history: [name, 0, 0] },
              })),
            ],
            kwargs: {},
          },
        ];
  const layer = (class_name: string, name: string, config: object, ...from: string[]) => ({
    class_name,
    config: { name, ...config },
    name,
    inbound_nodes: from.length === 0 ? [] : inbound(...from),
  });
  const padded = (name: string, from: string, pad: number) =>
    pad === 0
      ? []
      : [
          layer(
            'ZeroPadding2D',
            `${name}_pad`,
            {
              padding: [
                [pad, pad],
                [pad, pad],
              ],
            },
            from,
          ),
        ];
  const layers = steps.flatMap((step) => {
    const { name, from } = step;
    switch (step.kind) {
      case 'conv': {
        const { kernel, stride = 1, groups = 1, cin, cout } = step;
        const pad = stride > 1 ? (kernel - 1) / 2 : 0;
        const window = {
          kernel_size: [kernel, kernel],
          strides: [stride, stride],
          padding: stride > 1 ? 'valid' : 'same',
        };
        const source = pad === 0 ? from : `${name}_pad`;
        const conv =
          groups === cin && groups > 1
            ? layer('DepthwiseConv2D', name, { ...window, depth_multiplier: 1 }, source)
            : layer('Conv2D', name, { ...window, filters: cout, groups }, source);
        return [...padded(name, from, pad), conv];
      }
      case 'max-pool': {
        const { kernel, stride, pad } = step;
        const config = { pool_size: [kernel, kernel], strides: [stride, stride], padding: 'valid' };
        return [
          ...padded(name, from, pad),
          layer('MaxPooling2D', name, config, pad === 0 ? from : `${name}_pad`),
        ];
      }
      case 'add':
        return [layer('Add', name, {}, from, step.and)];
      case 'dense':
        return [layer('Dense', name, { units: step.cout }, from)];
      case 'relu':
        return [layer('Activation', name, { activation: 'relu' }, from)];
      case 'global-pool':
        return [layer('GlobalAveragePooling2D', name, {}, from)];
      case 'flatten':
        return [layer('Flatten', name, {}, from)];
    }
  });
  const shape = [null, size, size, 3];
  const image = layer(
    'InputLayer',
    'image',
    version === 2 ? { batch_input_shape: shape } : { batch_shape: shape },
  );
  const last = steps.at(-1)?.name;
  return {
    class_name: 'Functional',
    config: {
      name: 'network',
      layers: [image, ...layers],
      input_layers: [['image', 0, 0]],
      output_layers: [[last, 0, 0]],
    },
  };
}
