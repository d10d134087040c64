import fc from 'fast-check';
import { NetworkError, readNetwork } from './index.js';
import { kerasJson, mobileNetV2, onnxFile, resNet50 } from './testing.js';
import { encodeOnnx } from './onnx/encode.js';

const bytes = (text: string) => new TextEncoder().encode(text);
const json = (value: unknown) => bytes(JSON.stringify(value));

function refusal(read: () => unknown): NetworkError {
  try {
    read();
  } catch (error) {
    if (error instanceof NetworkError) return error;
    throw error;
  }
  throw new Error('it was read');
}

/** Returns the layers or the NetworkError. Throws any other error. */
function layersOrRefusal(file: Uint8Array): ReturnType<typeof readNetwork>['layers'] | NetworkError {
  try {
    return readNetwork(file).layers;
  } catch (error) {
    if (error instanceof NetworkError) return error;
    throw error;
  }
}

describe('files that are not networks', () => {
  it.each([
    ['nothing', new Uint8Array()],
    ['text', bytes('hello')],
    ['a ZIP archive', bytes('PK\u0003\u0004')],
    ['a list of layers without layers', json({ format: 'alphaflops.layers/1' })],
    ['a layer without a size', json({ format: 'alphaflops.layers/1', layers: [{ kind: 'dense', rows: 0 }] })],
    ['JSON cut short', bytes('{"class_name": "Sequential"')],
    ['bytes that are not UTF-8', new Uint8Array([0x7b, 0xff, 0xfe])],
    ['an ONNX file without operators', encodeOnnx({ name: 'empty' })],
    ['a Keras layer alone', json({ class_name: 'Dense', config: { units: 3 } })],
    ['a model without layers', json({ class_name: 'Sequential', config: {} })],
    ['a graph that is not a list', json({ modelTopology: { node: [{ name: 1 }] } })],
  ])('%s', (_, file) => {
    expect(refusal(() => readNetwork(file)).code).toBe('malformed');
  });

  it('JSON of another kind', () => {
    expect(refusal(() => readNetwork(json({ hello: 1 }))).code).toBe('unknown-format');
  });

  it('random changes of a real file give either a network or a NetworkError', () => {
    const files = [onnxFile(mobileNetV2()), json(kerasJson(mobileNetV2(), 3))];
    fc.assert(
      fc.property(
        fc.constantFrom(...files),
        fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), { minLength: 1, maxLength: 20 }),
        (file, changes) => {
          const broken = Uint8Array.from(file);
          for (const [at, value] of changes) broken[at % broken.length] = value;
          const layers = layersOrRefusal(broken);
          if (layers instanceof NetworkError) return;
          const values = layers.flatMap(({ spec }) => Object.values<unknown>({ ...spec }));
          expect(values.filter((value) => typeof value !== 'string' && !Number.isSafeInteger(value))).toEqual(
            [],
          );
        },
      ),
      { numRuns: 400, seed: 1 },
    );
  });
});

describe('files made to cost time and memory', () => {
  it('a million empty operators are refused before they are decoded', () => {
    const graph = new Uint8Array(2 * 600_000).map((_, at) => (at % 2 === 0 ? 0x0a : 0));
    const length = [0x80 | (graph.length & 0x7f), 0x80 | ((graph.length >> 7) & 0x7f), graph.length >> 14];
    expect(refusal(() => readNetwork(new Uint8Array([0x3a, ...length, ...graph]))).code).toBe('too-large');
  });

  it('lists that double with every operator are not stored in full', () => {
    const image = {
      name: 'image',
      type: { tensorType: { elemType: 1, shape: { dim: [1, 3, 8, 8].map((dimValue) => ({ dimValue })) } } },
    };
    const node = [
      { opType: 'Shape', input: ['image'], output: ['0'] },
      ...Array.from({ length: 200 }, (_, i) => ({
        opType: 'Concat',
        input: [String(i), String(i)],
        output: [String(i + 1)],
        attribute: [{ name: 'axis', i: 0 }],
      })),
    ];
    expect(readNetwork(encodeOnnx({ input: [image], node })).notCosted).toEqual([
      { op: 'Concat', count: 200, reason: null, macs: null },
    ]);
  });

  it('models that apply models that apply models are refused before all are counted', () => {
    const applied = (model: object) => ({
      ...{ ...model, name: 'c' },
      inbound_nodes: Array.from({ length: 100 }, () => [['i', 0, 0, {}]]),
    });
    const around = (model: object, config: object) => ({
      class_name: 'Functional',
      config: {
        layers: [{ class_name: 'InputLayer', name: 'i', config: { name: 'i', ...config } }, applied(model)],
      },
    });
    let model: object = { class_name: 'Dense', config: { units: 8 } };
    for (let depth = 0; depth < 4; depth++) model = around(model, { batch_shape: [1, 8] });
    expect(refusal(() => readNetwork(json(model))).code).toBe('too-large');
  });

  it('endlessly nested models are refused', () => {
    let model: object = { class_name: 'Sequential', config: { layers: [] } };
    for (let i = 0; i < 100; i++) model = { class_name: 'Sequential', config: { layers: [model] } };
    const file = json(model);
    expect(refusal(() => readNetwork(file, { inputShape: [1, 8, 8, 3] })).message).toMatch(
      /contains nested models/,
    );
  });

  it('sizes that are too large to measure are reported, and not costed', () => {
    const { layers, notCosted } = readNetwork(onnxFile(resNet50(), [1, 3, 2 ** 40, 224]));
    expect(layers.length).toBeLessThan(54);
    expect(notCosted.find(({ op }) => op === 'Conv')?.reason).toMatch(/height/);
  });
});

describe('options', () => {
  it('a missing size is requested, with an example', () => {
    const file = onnxFile(resNet50(), ['N', 3, 'H', 'W']);
    expect(refusal(() => readNetwork(file))).toMatchObject({
      code: 'unknown-size',
      message: expect.stringContaining('"image" open (1x3x?x?). Set it, for example 1x3x224x224'),
    });
    expect(readNetwork(file, { inputShape: [2, 3, 224, 224] }).layers[0]?.spec.batch).toBe(2);
  });

  it.each([
    { batch: 0 },
    { batch: 1.5 },
    { inputShape: [] },
    { inputShape: [1, -3, 4, 4] },
    { inputShape: [1, 3, 224] },
  ])('refuses %j', (options) => {
    expect(refusal(() => readNetwork(onnxFile(resNet50()), options)).code).toBe('bad-option');
  });
});
