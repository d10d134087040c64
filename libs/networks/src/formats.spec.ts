import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { zipSync } from 'fflate';
import { completenessText, NetworkError, readNetwork, type ByteSource } from './index.js';
import { encodeOnnx } from './onnx/encode.js';
import { kerasJson, mobileNetV2 } from './testing.js';

const bytes = (text: string) => new TextEncoder().encode(text);
const padded = (...pieces: (string | number[])[]) => {
  const file = new Uint8Array(600);
  let at = 0;
  for (const piece of pieces) {
    const part = typeof piece === 'string' ? bytes(piece) : Uint8Array.from(piece);
    file.set(part, at);
    at += part.length;
  }
  return file;
};

function refusal(file: Uint8Array | ByteSource): NetworkError {
  try {
    readNetwork(file);
  } catch (error) {
    if (error instanceof NetworkError) return error;
    throw error;
  }
  throw new Error('it was read');
}

describe('formats that are not supported', () => {
  it.each<[string, Uint8Array, RegExp, RegExp]>([
    ['gzip', padded([0x1f, 0x8b]), /gzip/, /gunzip/],
    ['TensorFlow Lite', padded([0x1c, 0, 0, 0], 'TFL3'), /TensorFlow Lite/, /tf2onnx/],
    ['HDF5', padded([0x89, 0x48, 0x44, 0x46]), /HDF5/, /model\.to_json/],
    ['GGUF', padded('GGUF'), /GGUF/, /ONNX/],
    ['safetensors', padded([100, 0, 0, 0, 0, 0, 0, 0], '{"w":{}}'), /safetensors/, /export_pytorch/],
    ['a pickle', padded([0x80, 0x02]), /pickle/, /export_pytorch/],
    ['SavedModel', Uint8Array.from([0x08, 1, 0x12, 4, 0x0a, 2, 0x0a, 0]), /SavedModel/, /tf2onnx/],
    ['a TensorFlow graph', Uint8Array.from([0x0a, 4, 0x0a, 2, 0x78, 0x79]), /frozen/, /tf2onnx/],
    ['Core ML', Uint8Array.from([0x08, 4, 0x12, 0, 0xa2, 0x1f, 0]), /Core ML/, /ONNX/],
    ['a PyTorch checkpoint', zipSync({ 'net/data.pkl': bytes('x') }), /checkpoint/, /export_pytorch/],
    [
      'TorchScript',
      zipSync({ 'n/data.pkl': bytes('x'), 'n/constants.pkl': bytes('x') }),
      /TorchScript/,
      /ONNX/,
    ],
    ['a ZIP archive', zipSync({ 'net.onnx': bytes('x') }), /ZIP/, /Unpack it and use net\.onnx/],
  ])('%s is named, with a way to convert it', (_, file, name, way) => {
    const { code, message } = refusal(file);
    expect(code).toBe('unknown-format');
    expect(message).toMatch(name);
    expect(message).toMatch(way);
  });
});

describe('.keras archives', () => {
  const json = bytes(JSON.stringify(kerasJson(mobileNetV2(), 3)));
  const archive = zipSync({
    'metadata.json': bytes('{}'),
    'config.json': json,
    'model.weights.h5': [new Uint8Array(100_000), { level: 0 }],
  });

  it('are read like the JSON inside', () => {
    expect(readNetwork(archive)).toEqual(readNetwork(json));
  });

  it('are refused with a message when they are broken', () => {
    for (let length = 4; length < archive.length; length += 1_009) {
      expect(refusal(archive.subarray(0, length)).message).toMatch(/not a valid ZIP archive/);
    }
  });
});

describe('large files', () => {
  /** A file that counts the bytes that are read. */
  const counting = (file: Uint8Array, size = file.length): ByteSource & { count: number } => ({
    size,
    count: 0,
    read(start, end) {
      this.count += end - start;
      return file.subarray(start, end);
    },
  });

  it('weights are skipped, not loaded', () => {
    const dim = [1, 4096].map((dimValue) => ({ dimValue }));
    const names = Array.from({ length: 8 }, (_, at) => `w${at}`);
    const file = encodeOnnx({
      input: [{ name: 'x', type: { tensorType: { elemType: 1, shape: { dim } } } }],
      initializer: names.map((name) => ({
        name,
        dims: [4096, 256],
        dataType: 1,
        rawData: new Uint8Array(2 ** 22),
      })),
      node: names.map((name) => ({ opType: 'MatMul', input: ['x', name], output: [`y${name}`] })),
    });
    const source = counting(file);
    const { layers, completeness } = readNetwork(source);
    expect([layers.length, completeness.isComplete]).toEqual([8, true]);
    // The reader goes through the graph twice, in pieces of 64 KiB.
    expect(source.count).toBeLessThan(file.length / 10);
  });

  it('a file of 2.3 GB is refused before it is read', () => {
    const source = counting(new Uint8Array(), 2.3e9);
    expect(refusal(source)).toMatchObject({ code: 'too-large', message: expect.stringMatching(/2193 MiB/) });
    expect(source.count).toBe(0);
  });
});

describe('the description of a total', () => {
  const CASES = join(import.meta.dirname, '../cases');
  it.each([
    ['mm_left_weight.onnx', 'The total is complete: 1 of 1 layer that multiplies is costed.'],
    [
      'ConvInteger_dyn.onnx',
      'The total is a lower bound: 1 of 2 layers that multiply are costed; at least 87 % of the multiply-adds are missing.',
    ],
    [
      'tf_splitv.json',
      'The total is a lower bound: 0 of 1 layer that multiplies is costed; the missing share of the multiply-adds is unknown ' +
        '(Conv2D). Sizes were lost first at SplitV "s". Some sizes of this TensorFlow.js model depend on values in its ' +
        'weight files (.bin): add these files.',
    ],
  ])('%s', (name, text) => {
    expect(completenessText(readNetwork(readFileSync(join(CASES, name))))).toBe(text);
  });
});
