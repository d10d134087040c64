import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { macs } from '@alphaflops/conv';
import { bytesSource, readNetwork, type Network, type ReadOptions } from './index.js';

/**
 * Small files as real exporters write them. The expected values come from the profiler of ONNX Runtime, the kernels
 * of TensorFlow.js and the shapes of Keras.
 */
const CASES = join(import.meta.dirname, '../cases');
const bytesOf = (name: string) => bytesSource(readFileSync(join(CASES, name)));
const fileBeside = (name: string) => (existsSync(join(CASES, name)) ? bytesOf(name) : null);
const read = (name: string, options: ReadOptions = {}) =>
  readNetwork(bytesOf(name), { fileBeside, ...options });
const costedMacs = ({ layers }: Network) => layers.reduce((sum, { spec }) => sum + macs(spec), 0);

describe('whole networks', () => {
  it.each<[string, number, number]>([
    ['If_conv.onnx', 253_952, 2],
    ['QDQ_conv.onnx', 221_184, 1],
    ['cast_f16_matmul_is_f16.onnx', 32_000, 1],
    ['cast_uint8_then_dense.onnx', 32_000, 1],
    ['ct_output_shape.onnx', 230_400, 2],
    ['depth2space.onnx', 253_952, 2],
    ['einsum.onnx', 230_400, 2],
    ['expand_cls_token.onnx', 806_912, 1],
    ['function_block.onnx', 811_008, 2],
    ['k_mixed16.json', 221_184, 1],
    ['k_nested_multi_output.json', 565_248, 4],
    ['k_tconv_valid.json', 960_768, 2],
    ['mm_left_weight.onnx', 32_768, 1],
    ['strides12.onnx', 110_592, 1],
    ['ms_FusedConv.onnx', 221_184, 1],
    ['tf_argmax_unpack.json', 221_184, 1],
    ['tf_conv1d.json', 38_400, 1],
    ['tf_depth2space.json', 1_179_648, 1],
    ['tf_gather_tile.json', 589_824, 1],
    ['tf_reshape_tokens_matmul.json', 10_240, 1],
    ['tf_splitv.json', 589_824, 1],
    ['torch_einsum_linear.onnx', 1_920, 2],
    ['torch_lstm_linear.onnx', 129_280, 22],
    ['torch_pixelshuffle.onnx', 162_000, 2],
    ...['opset9', 'opset10', 'opset11', 'opset17', 'dynamo18', 'dynamo20'].map(
      (exporter): [string, number, number] => [`torch_zeropad_${exporter}.onnx`, 221_184, 1],
    ),
    ['unsorted_cast_last.onnx', 221_184, 1],
  ])('%s has %d multiply-adds in %d layers', (name, expected, layers) => {
    const network = read(name);
    expect(costedMacs(network)).toBe(expected);
    expect(network.completeness).toEqual({
      ...{ isComplete: true, layersFound: layers, layersCosted: layers },
      ...{ missing: [], missingMacs: 0, missingShare: 0, firstLoss: null },
    });
  });

  it.each(['cast_f16_matmul_is_f16.onnx', 'k_mixed16.json', 'unsorted_cast_last.onnx'])(
    '%s is f16',
    (name) => {
      expect(read(name).layers.map(({ spec }) => spec.dtype)).toEqual(['f16']);
    },
  );

  it('a grouped convolution of TensorFlow is detected from its actual input channels', () => {
    expect(read('tf_splitv.json').layers[0]?.spec).toMatchObject({ cin: 32, groups: 1 });
  });
});

describe('networks with parts that are not costed', () => {
  it.each([
    ['ConvInteger_dyn.onnx', 32_768, 221_184, 'ConvInteger', /u8/],
    ['conv3d.onnx', 32, 1_327_104, 'Conv', /3-dimensional/],
    ['mm_2act_2d.onnx', 0, 131_072, 'MatMul', /two activations/],
  ])('%s: %d multiply-adds costed, %d missing', (name, costed, missing, op, reason) => {
    const network = read(name);
    expect(costedMacs(network)).toBe(costed);
    expect(network.completeness).toMatchObject({
      isComplete: false,
      missing: [{ op, count: 1, reason: expect.stringMatching(reason), macs: missing }],
      missingShare: missing / (costed + missing),
    });
  });

  it('a custom layer may multiply, and the layers after it have the sizes that Keras records', () => {
    const network = read('keras3_custom_layer.json');
    expect(costedMacs(network)).toBe(811_008);
    expect(network.completeness).toMatchObject({
      ...{ isComplete: false, layersFound: 2, layersCosted: 2, missingShare: null },
      missing: [{ op: 'MyScale', macs: null }],
    });
  });

  it.each([
    ['tf_gather_tile.json', 't', 'Tile'],
    ['tf_argmax_unpack.json', 'e', 'ExpandDims'],
    ['tf_splitv.json', 's', 'SplitV'],
  ])('%s without its weight file reports where a size was lost', (name, node, op) => {
    const { layers, completeness } = readNetwork(bytesOf(name));
    expect(layers).toEqual([]);
    expect(completeness).toMatchObject({
      ...{ isComplete: false, layersFound: 1, layersCosted: 0, missingShare: null },
      firstLoss: { name: node, op },
    });
  });

  it('a Reshape of TensorFlow keeps the number of elements, which is enough for a matrix product', () => {
    expect(costedMacs(readNetwork(bytesOf('tf_reshape_tokens_matmul.json')))).toBe(10_240);
  });
});

describe('options that do not fit the file', () => {
  it.each<[string, ReadOptions, RegExp]>([
    ['fixed_reshape_other_batch.onnx', { inputShape: [4, 4, 28, 28] }, /fixes axis 0 at 1/],
    ['fixed_reshape_other_batch.onnx', { batch: 4 }, /batch 4 cannot be applied/],
    ['image_second_dyn.onnx', {}, /input "x" open \(1x3x\?x\?\)\. Set it, for example x=1x3x224x224/],
    ['image_second_dyn.onnx', { inputs: { y: [1] } }, /no input "y"\. It has these inputs: "k", "x"/],
    ['image_second_dyn.onnx', { inputs: { x: [1, 4, 8, 8] } }, /fixes axis 1 at 3/],
  ])('%s with %j', (name, options, message) => {
    expect(() => read(name, options)).toThrow(message);
  });

  it('a second input gets the sizes that the options give for its name', () => {
    const network = read('image_second_dyn.onnx', { inputs: { x: [1, 3, 32, 32] } });
    expect(costedMacs(network)).toBe(221_184);
  });
});
