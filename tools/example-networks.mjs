/** Writes the example networks of the dashboard, ONNX files without weights, from the architectures of libs/networks. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { mobileNetV2, onnxFile, resNet50, uNet, vgg16 } from '@alphaflops/networks/testing';

/** File, name, architecture, side of the input in pixels. */
const EXAMPLES = [
  ['resnet-50', 'ResNet-50', resNet50, 224],
  ['mobilenet-v2', 'MobileNetV2', mobileNetV2, 224],
  ['vgg-16', 'VGG-16', vgg16, 224],
  ['u-net-dilated', 'U-Net with dilation', uNet, 256],
];

const folder = new URL('../apps/dashboard/examples/', import.meta.url);
mkdirSync(folder, { recursive: true });
for (const [id, name, architecture, side] of EXAMPLES) {
  const file = onnxFile(architecture(), ['N', 3, side, side], name);
  writeFileSync(new URL(`${id}.onnx`, folder), file);
  console.log(`${id}.onnx: ${file.length} bytes`);
}
