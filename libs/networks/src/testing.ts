import type { Architecture } from './architectures.js';
import { encodeOnnx } from './onnx/encode.js';

export { Architecture, mobileNetV2, resNet50, U_NET, uNet, vgg16 } from './architectures.js';
export { evaluateOnnx } from './onnx/read-onnx.js';
export { RandomNetwork } from './random-network.js';

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

/** Returns the network as an ONNX file. Its weights have sizes but no values, which keeps the file small. */
export function onnxFile(
  { steps }: Architecture,
  input: (number | string)[] = ['N', 3, 224, 224],
  graphName = 'network',
): Uint8Array {
  const weight = (name: string, dims: number[]) => ({ name, dims, dataType: FLOAT });
  const ints = (name: string, ...values: number[]) => ({ name, ints: values });
  const weights = steps.flatMap((step) => {
    if (step.kind === 'dense') return [weight(`${step.name}.weight`, [step.cout, step.cin])];
    if (step.kind === 'up-conv') return [weight(`${step.name}.weight`, [step.cin, step.cout, 2, 2])];
    if (step.kind !== 'conv') return [];
    const { name, cin, cout, kernel, groups = 1 } = step;
    return [weight(`${name}.weight`, [cout, cin / groups, kernel, kernel])];
  });
  const node = steps.map((step) => {
    const named = { name: step.name, output: [step.name], input: [step.from] };
    switch (step.kind) {
      case 'conv': {
        const { kernel, stride = 1, groups = 1, dilation = 1, padding } = step;
        const pad = padding === 'torch' ? (dilation * (kernel - 1)) / 2 : 0;
        return {
          ...named,
          opType: 'Conv',
          input: [step.from, `${step.name}.weight`],
          attribute: [
            ints('strides', stride, stride),
            ints('pads', pad, pad, pad, pad),
            ...(dilation === 1 ? [] : [ints('dilations', dilation, dilation)]),
            { name: 'group', i: groups },
          ],
        };
      }
      case 'up-conv':
        return {
          ...named,
          opType: 'ConvTranspose',
          input: [step.from, `${step.name}.weight`],
          attribute: [ints('strides', 2, 2)],
        };
      case 'concat':
        return {
          ...named,
          opType: 'Concat',
          input: [step.from, step.and],
          attribute: [{ name: 'axis', i: 1 }],
        };
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
  return encodeOnnx({ name: graphName, node, input: [valueInfo('image', input)], initializer: weights });
}

/** Returns the network as Keras 2 or 3 describes it. In Keras, padding as in PyTorch is a separate layer. */
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
        const { kernel, stride = 1, groups = 1, dilation = 1, cin, cout } = step;
        const pad = stride > 1 ? (kernel - 1) / 2 : 0;
        const window = {
          kernel_size: [kernel, kernel],
          strides: [stride, stride],
          dilation_rate: [dilation, dilation],
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
      case 'up-conv': {
        const window = { kernel_size: [2, 2], strides: [2, 2], padding: 'valid' };
        return [layer('Conv2DTranspose', name, { ...window, filters: step.cout }, from)];
      }
      case 'concat':
        return [layer('Concatenate', name, { axis: -1 }, from, step.and)];
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
