import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { macs } from '@alphaflops/conv';
import { readNetwork } from './index.js';
import { mobileNetV2, onnxFile, resNet50, uNet, vgg16 } from './testing.js';

const FILES = join(import.meta.dirname, '../../../apps/dashboard/examples');

/**
 * Multiply-adds that torchvision publishes with its weights. The value of the U-Net follows from its channels and
 * sides.
 */
const NETWORKS = [
  ['resnet-50', 'ResNet-50', resNet50, 224, 4_089_184_256],
  ['mobilenet-v2', 'MobileNetV2', mobileNetV2, 224, 300_774_272],
  ['vgg-16', 'VGG-16', vgg16, 224, 15_470_264_320],
  ['u-net-dilated', 'U-Net with dilation', uNet, 256, 53_003_419_648],
] as const;

describe.each(NETWORKS)('the example %s', (id, name, architecture, side, published) => {
  const file = new Uint8Array(readFileSync(join(FILES, `${id}.onnx`)));

  it('has its known multiply-adds, and all of them are costed', () => {
    const { layers, completeness } = readNetwork(file);
    expect(completeness.isComplete).toBe(true);
    expect(layers.reduce((sum, { spec }) => sum + macs(spec), 0)).toBe(published);
  });

  it('is equal to the output of tools/example-networks.mjs', () => {
    expect(file).toEqual(new Uint8Array(onnxFile(architecture(), ['N', 3, side, side], name)));
  });
});
