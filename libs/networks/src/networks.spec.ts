import { macs } from '@alphaflops/conv';
import {
  type Architecture,
  kerasJson,
  mobileNetV2,
  onnxFile,
  resNet50,
  U_NET,
  uNet,
  vgg16,
} from './testing.js';
import { readNetwork, type Network } from './index.js';

const json = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));
const totalMacs = ({ layers }: Network) => layers.reduce((sum, { spec }) => sum + macs(spec), 0);

const FORMATS: [string, (net: Architecture) => Uint8Array][] = [
  ['ONNX', (net) => onnxFile(net)],
  ['Keras 2', (net) => json(kerasJson(net, 2))],
  ['Keras 3', (net) => json(kerasJson(net, 3))],
  [
    'TensorFlow.js layers',
    (net) => json({ format: 'layers-model', modelTopology: { model_config: kerasJson(net, 2) } }),
  ],
];

describe.each(FORMATS)('%s', (_, file) => {
  // Totals from the table of weights of torchvision, whose GFLOPS are multiply-adds: 4.09, 15.47, 0.30.
  it.each([
    ['ResNet-50', resNet50, 4.09e9, 53 + 1],
    ['VGG-16', vgg16, 15.47e9, 13 + 3],
    ['MobileNetV2', mobileNetV2, 0.3e9, 52 + 1],
  ])('%s has its published multiply-adds', (__, network, published, layers) => {
    const found = readNetwork(file(network()));
    expect(found.layers).toHaveLength(layers);
    expect(Math.abs(totalMacs(found) - published)).toBeLessThan(0.005e9);
    expect(found.notCosted.every(({ reason }) => reason === null)).toBe(true);
  });

  it('a U-Net with dilations has the multiply-adds of its channels and sides', () => {
    const found = readNetwork(file(uNet()));
    expect(totalMacs(found)).toBe(uNetMacs(224));
    expect(found.layers).toHaveLength(2 * 4 + 4 + 3 * 4 + 1);
    const dilations = found.layers.flatMap(({ spec }) => spec.dilation_h ?? []);
    expect(dilations).toEqual([2, 4, 8]);
  });

  it('the batch multiplies all costs', () => {
    const one = readNetwork(file(resNet50()));
    const eight = readNetwork(file(resNet50()), { batch: 8 });
    expect(totalMacs(eight)).toBe(8 * totalMacs(one));
    // The rows of the dense layer become positions.
    expect(new Set(eight.layers.map(({ spec }) => spec.batch * (spec.height === 4 ? 8 : 1)))).toEqual(
      new Set([8]),
    );
  });

  it('a truncated file gives a NetworkError or the layers of its intact part', () => {
    const whole = file(mobileNetV2());
    for (let length = 0; length < whole.byteLength; length += Math.ceil(whole.byteLength / 97)) {
      try {
        const { layers } = readNetwork(whole.subarray(0, length));
        expect(layers.length).toBeLessThanOrEqual(53);
      } catch (error) {
        expect(error).toMatchObject({ name: 'NetworkError' });
      }
    }
  });
});

/** Multiply-adds of the U-Net for an image of side × side, level by level. */
function uNetMacs(side: number): number {
  const { widths, middle, dilations } = U_NET;
  let total = 0;
  for (const [level, width] of widths.entries()) {
    const points = (side / 2 ** level) ** 2;
    const [above, below] = [widths[level - 1] ?? 3, widths[level + 1] ?? middle];
    const down = 9 * (above * width + width * width);
    // Each point of the smaller image is multiplied by 2 × 2 weights.
    const up = below * width + 9 * (2 * width * width + width * width);
    total += points * (down + up);
  }
  const points = (side / 2 ** widths.length) ** 2;
  const last = widths.at(-1) ?? 0;
  total += points * 9 * (last * middle + (dilations.length - 1) * middle * middle);
  return total + side * side * widths[0] * 2;
}

describe('layer table of ResNet-50', () => {
  const { layers, notCosted } = readNetwork(onnxFile(resNet50()));

  it('has the sizes of the paper', () => {
    expect(layers[0]?.spec).toMatchObject({
      height: 224,
      width: 224,
      cin: 3,
      cout: 64,
      kernel_h: 7,
      stride: 2,
    });
    expect(layers[1]?.spec).toMatchObject({
      height: 56,
      width: 56,
      cin: 64,
      cout: 64,
      kernel_h: 1,
      stride: 1,
    });
    expect(layers.at(-2)?.spec).toMatchObject({ height: 7, width: 7, cin: 512, cout: 2048, kernel_h: 1 });
    expect(layers.at(-1)).toMatchObject({ op: 'Gemm', spec: { height: 1, width: 1, cin: 2048, cout: 1000 } });
    expect(layers.every(({ note }) => note === null)).toBe(true);
  });

  it('counts operators without a cost', () => {
    expect(notCosted).toContainEqual({ op: 'Add', count: 16, reason: null, macs: null });
    expect(notCosted).toContainEqual({ op: 'MaxPool', count: 1, reason: null, macs: null });
  });
});
