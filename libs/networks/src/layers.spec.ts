import { macs as macsOf, outputSize } from '@alphaflops/conv';
import { bytesSource } from './byte-source.js';
import { readNetwork } from './index.js';
import { encodeOnnx } from './onnx/encode.js';

const json = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));
const info = (name: string, sizes: number[], elemType = 1) => ({
  name,
  type: { tensorType: { elemType, shape: { dim: sizes.map((dimValue) => ({ dimValue })) } } },
});

/** Weights that have sizes but no values. */
const weights = (name: string, dims: number[], dataType = 1) => ({ name, dims, dataType });

/** One operator on an image and a kernel. */
function one(
  opType: string,
  image: number[],
  kernel: number[],
  attributes: Record<string, number | number[]>,
  elemType = 1,
  isWeight = true,
) {
  const attribute = Object.entries(attributes).map(([name, value]) =>
    typeof value === 'number' ? { name, i: value } : { name, ints: value },
  );
  const node = [{ name: 'layer', opType, input: ['x', 'w'], output: ['y'], attribute }];
  const input = [info('x', image, elemType), ...(isWeight ? [] : [info('w', kernel, elemType)])];
  return readNetwork(
    encodeOnnx({ node, input, initializer: isWeight ? [weights('w', kernel, elemType)] : [] }),
  );
}

describe('convolutions in the form of a ConvSpec', () => {
  it.each<
    [string, number[], number[], Record<string, number | number[]>, [number, number], number, RegExp | null]
  >([
    ['same', [1, 3, 9, 9], [4, 3, 3, 3], { pads: [1, 1, 1, 1] }, [9, 9], 9 * 9 * 9 * 3 * 4, null],
    ['valid', [1, 3, 9, 9], [4, 3, 3, 3], {}, [7, 7], 7 * 7 * 9 * 3 * 4, null],
    ['explicit padding', [1, 3, 9, 9], [4, 3, 3, 3], { pads: [2, 0, 2, 0] }, [11, 7], 77 * 9 * 3 * 4, null],
    [
      'strided',
      [1, 3, 10, 8],
      [4, 3, 5, 5],
      { strides: [2, 2], pads: [2, 2, 2, 2] },
      [5, 4],
      20 * 25 * 3 * 4,
      null,
    ],
    ['dilated', [1, 3, 9, 9], [4, 3, 3, 3], { dilations: [2, 2] }, [5, 5], 25 * 9 * 3 * 4, null],
    ['depthwise', [1, 6, 9, 9], [6, 1, 3, 3], { group: 6, pads: [1, 1, 1, 1] }, [9, 9], 81 * 9 * 6, null],
    ['of a row', [2, 3, 20], [4, 3, 5], { pads: [2, 2] }, [1, 20], 2 * 20 * 5 * 3 * 4, null],
    [
      'strided along a row',
      [2, 3, 20],
      [4, 3, 5],
      { strides: [2], pads: [2, 2] },
      [1, 10],
      2 * 10 * 5 * 3 * 4,
      null,
    ],
  ])('%s', (_, image, kernel, attributes, output, expected, note) => {
    const { layers, notCosted } = one('Conv', image, kernel, attributes);
    expect(notCosted).toEqual([]);
    const [layer] = layers;
    expect(layer && outputSize(layer.spec)).toEqual({ height: output[0], width: output[1] });
    expect(layer && macsOf(layer.spec)).toBe(expected);
    if (note === null) expect(layer?.note).toBeNull();
    else expect(layer?.note).toMatch(note);
  });

  it('with all options of a layer: strides and dilations along each axis, padding on each side', () => {
    const { layers } = one('Conv', [1, 3, 9, 20], [4, 3, 3, 3], { strides: [1, 2], pads: [2, 0, 2, 0] });
    expect(layers[0]?.spec).toMatchObject({
      ...{ height: 9, width: 20, stride_h: 1, stride_w: 2, padding: 'explicit' },
      ...{ pad_top: 2, pad_bottom: 2, pad_left: 0, pad_right: 0 },
    });
    expect(layers[0] && macsOf(layers[0].spec)).toBe(11 * 9 * 9 * 3 * 4);
    const dilated = one('Conv', [1, 3, 9, 9], [4, 3, 3, 3], { dilations: [2, 1] }).layers[0];
    expect(dilated?.spec).toMatchObject({ dilation_h: 2, padding: 'valid' });
  });

  it('transposed: the number of multiply-adds is input points times taps', () => {
    const { layers } = one('ConvTranspose', [1, 16, 12, 12], [16, 8, 4, 4], {
      strides: [2, 2],
      pads: [1, 1, 1, 1],
    });
    expect(layers[0]).toMatchObject({
      spec: { height: 24, cin: 8, cout: 16, stride: 2, pass: 'backward-data' },
      note: expect.stringMatching(/transposed/),
    });
    expect(layers[0] && macsOf(layers[0].spec)).toBe(12 * 12 * 16 * 16 * 8);
  });

  it('with half precision', () => {
    expect(one('Conv', [1, 3, 9, 9], [4, 3, 3, 3], {}, 10).layers[0]?.spec.dtype).toBe('f16');
    expect(one('Conv', [1, 3, 9, 9], [4, 3, 3, 3], {}, 16).layers[0]?.spec.dtype).toBe('bf16');
  });
});

describe('convolutions without a ConvSpec are reported', () => {
  it.each<[string, number[], number[], Record<string, number | number[]>, number, RegExp, number | null]>([
    ['three-dimensional', [1, 3, 4, 9, 9], [4, 3, 3, 3, 3], {}, 1, /3-dimensional/, 2 * 49 * 27 * 3 * 4],
    ['of integers', [1, 3, 9, 9], [4, 3, 3, 3], {}, 3, /type i8 is not measured/, 49 * 9 * 3 * 4],
    ['channels that do not fit', [1, 5, 9, 9], [4, 3, 3, 3], {}, 1, /do not fit the kernel/, null],
    ['a kernel larger than its input', [1, 3, 2, 2], [4, 3, 3, 3], {}, 1, /does not fit/, 0],
  ])('%s', (_, image, kernel, attributes, elemType, reason, macs) => {
    const { layers, notCosted, completeness } = one('Conv', image, kernel, attributes, elemType);
    expect(layers).toEqual([]);
    expect(notCosted).toEqual([{ op: 'Conv', count: 1, reason: expect.stringMatching(reason), macs }]);
    expect(completeness).toMatchObject({ isComplete: false, layersFound: 1, layersCosted: 0 });
  });
});

describe('products', () => {
  it('a dense layer with N vectors is one image with N positions', () => {
    const { layers } = one('MatMul', [2, 7, 16], [16, 32], {});
    expect(layers[0]?.spec).toMatchObject({ batch: 1, height: 7, width: 2, cin: 16, cout: 32, kernel_h: 1 });
    expect(layers[0]?.note).toBe('14 rows: costed as one image of 7×2 positions');
    const square = one('MatMul', [196, 16], [16, 32], {}).layers[0];
    expect(square?.spec).toMatchObject({ batch: 1, height: 14, width: 14 });
    expect(one('MatMul', [1, 16], [16, 32], {}).layers[0]?.note).toBeNull();
  });

  it('attention is not a dense layer', () => {
    const { layers, notCosted } = one('MatMul', [2, 7, 16], [2, 16, 7], {}, 1, false);
    expect(layers).toEqual([]);
    expect(notCosted).toEqual([
      { op: 'MatMul', count: 1, reason: expect.stringMatching(/two activations/), macs: 2 * 7 * 16 * 7 },
    ]);
  });
});

describe('sizes computed in the file', () => {
  /** What PyTorch exports for `x.view(x.size(0), -1)`. */
  it('a Reshape by Shape, Gather, Unsqueeze and Concat', () => {
    const int64 = (name: string, dims: number[], ...int64Data: number[]) => ({
      name,
      dims,
      dataType: 7,
      int64Data,
    });
    const { layers } = readNetwork(
      encodeOnnx({
        input: [info('x', [5, 4, 3, 3])],
        initializer: [
          weights('w', [10, 36]),
          int64('zero', [], 0),
          int64('axes', [1], 0),
          int64('rest', [1], -1),
        ],
        node: [
          { opType: 'Shape', input: ['x'], output: ['sizes'] },
          { opType: 'Gather', input: ['sizes', 'zero'], output: ['batch'] },
          { opType: 'Unsqueeze', input: ['batch', 'axes'], output: ['batch1'] },
          {
            opType: 'Concat',
            input: ['batch1', 'rest'],
            output: ['target'],
            attribute: [{ name: 'axis', i: 0 }],
          },
          { opType: 'Reshape', input: ['x', 'target'], output: ['flat'] },
          { opType: 'Gemm', input: ['flat', 'w'], output: ['y'], attribute: [{ name: 'transB', i: 1 }] },
        ],
      }),
    );
    expect(layers[0]?.spec).toMatchObject({ batch: 1, height: 5, width: 1, cin: 36, cout: 10 });
  });

  it('after an unknown operator, the size that the file records', () => {
    const node = [
      { opType: 'SomethingNew', input: ['x'], output: ['z'] },
      { opType: 'Conv', input: ['z', 'w'], output: ['y'] },
    ];
    const input = [info('x', [1, 3, 9, 9]), info('w', [4, 8, 1, 1])];
    const described = readNetwork(encodeOnnx({ input, node, valueInfo: [info('z', [1, 8, 5, 5])] }));
    expect(described.layers[0]?.spec).toMatchObject({ height: 5, cin: 8 });
    expect(described.completeness).toMatchObject({ isComplete: false, missingShare: null });
    const { completeness } = readNetwork(encodeOnnx({ input, node }));
    expect(completeness).toMatchObject({
      isComplete: false,
      layersFound: 1,
      layersCosted: 0,
      missingShare: null,
    });
    expect(completeness.firstLoss).toEqual({ name: 'z', op: 'SomethingNew' });
    expect(completeness.missing.map(({ op, reason }) => [op, reason])).toEqual([
      ['SomethingNew', expect.stringMatching(/unknown operator/)],
      ['Conv', 'unknown input size, lost at SomethingNew "z"'],
    ]);
  });
});

describe('Keras', () => {
  const sequential = (...layers: { class_name: string; config: object }[]) =>
    json({ class_name: 'Sequential', config: { name: 's', layers } });
  const input = { class_name: 'InputLayer', config: { batch_shape: [null, 16, 16, 8] } };

  it('a separable convolution counts as two', () => {
    const { layers } = readNetwork(
      sequential(input, {
        class_name: 'SeparableConv2D',
        config: { name: 'sep', filters: 32, kernel_size: 3, padding: 'same', strides: 2 },
      }),
    );
    expect(
      layers.map(({ spec }) => [spec.height, spec.kernel_h, spec.groups, spec.cin, spec.cout, spec.stride]),
    ).toEqual([
      [16, 3, 8, 8, 8, 2],
      [8, 1, 1, 8, 32, 1],
    ]);
    expect(layers[0]?.spec.layout).toBe('NHWC');
  });

  it('a nested model that is used twice counts twice', () => {
    const inner = {
      class_name: 'Sequential',
      config: {
        name: 'inner',
        layers: [
          { class_name: 'Conv2D', config: { name: 'c', filters: 8, kernel_size: [3, 3], padding: 'same' } },
        ],
      },
    };
    expect(readNetwork(sequential(input, inner, inner)).layers).toHaveLength(2);
  });

  it.each([
    ['dilated', 'Conv2D', { filters: 4, kernel_size: 3, dilation_rate: 2 }, 12 * 12 * 9 * 8 * 4, null],
    ['depthwise', 'DepthwiseConv2D', { kernel_size: 3, depth_multiplier: 2 }, 14 * 14 * 9 * 16, null],
    ['grouped', 'Conv2D', { filters: 4, kernel_size: 3, groups: 2 }, 14 * 14 * 9 * 4 * 4, null],
    ['transposed', 'Conv2DTranspose', { filters: 4, kernel_size: 4, strides: 2, padding: 'same' }, 256 * 16 * 8 * 4, /transposed/],
  ] as const)('%s', (_, class_name, config, expected, note) => {
    const [layer] = readNetwork(sequential(input, { class_name, config: { name: 'l', ...config } })).layers;
    expect(layer && macsOf(layer.spec)).toBe(expected);
    if (note === null) expect(layer?.note).toBeNull();
    else expect(layer?.note).toMatch(note);
  }); // prettier-ignore

  it('layers of a sequence: causal, dilated, transposed, and dense for each step', () => {
    const { layers, batch } = readNetwork(
      sequential(
        { class_name: 'InputLayer', config: { batch_shape: [null, 100, 8] } },
        { class_name: 'Conv1D', config: { name: 'a', filters: 16, kernel_size: [3], padding: 'causal' } },
        { class_name: 'Conv1D', config: { name: 'b', filters: 16, kernel_size: [3], dilation_rate: [4] } },
        { class_name: 'Conv1DTranspose', config: { name: 'c', filters: 8, kernel_size: [2], strides: [2] } },
        { class_name: 'Dense', config: { name: 'd', units: 5 } },
      ),
      { batch: 3 },
    );
    expect(batch).toBe(3);
    expect(layers.map(({ spec }) => macsOf(spec))).toEqual([
      3 * 100 * 3 * 8 * 16,
      3 * 92 * 3 * 16 * 16,
      3 * 92 * 2 * 16 * 8,
      3 * 184 * 8 * 5,
    ]);
  });

  it('a layer may record other build data than its input size', () => {
    const build_config = { shapes_dict: { query_shape: [1, 14, 14, 8] } };
    const dense = { class_name: 'Dense', config: { units: 3 }, build_config };
    expect(readNetwork(sequential(input, dense)).layers).toHaveLength(1);
  });

  it('a wrapper counts its inner layer, and an RNN counts its cells', () => {
    const config = { layer: { class_name: 'Conv2D', config: { name: 'c', filters: 4, kernel_size: 3 } } };
    const normal = readNetwork(sequential(input, { class_name: 'SpectralNormalization', config }));
    expect(normal.layers.map(({ spec }) => macsOf(spec))).toEqual([14 * 14 * 9 * 8 * 4]);
    const cell = (class_name: string, units: number) => ({ class_name, config: { units } });
    const cells = [cell('LSTMCell', 8), cell('GRUCell', 6)];
    const rnn = { class_name: 'RNN', config: { cell: { class_name: 'StackedRNNCells', config: { cells } } } };
    const sequence = { class_name: 'InputLayer', config: { batch_shape: [null, 5, 4] } };
    const { layers, completeness } = readNetwork(sequential(sequence, rnn));
    const all = layers.reduce((sum, { spec }) => sum + macsOf(spec), 0);
    expect(all).toBe(5 * (32 * (4 + 8) + 18 * (8 + 6)));
    expect(completeness.isComplete).toBe(true);
  });

  it('a layer after a custom layer is reported', () => {
    const { notCosted } = readNetwork(
      sequential(input, { class_name: 'Mine', config: {} }, { class_name: 'Dense', config: { units: 3 } }),
    );
    expect(notCosted.map(({ op }) => op)).toEqual(['Mine', 'Dense']);
    expect(notCosted[1]?.reason).toMatch(/unknown input size/);
  });
});

describe('TensorFlow.js graph models', () => {
  const word = (text: string) => ({ s: Buffer.from(text).toString('base64') });
  const weight = (name: string, ...sizes: number[]) => ({
    name,
    op: 'Const',
    attr: {
      value: {
        tensor: { dtype: 'DT_FLOAT', tensorShape: { dim: sizes.map((size) => ({ size: String(size) })) } },
      },
    },
  });
  const list = (...i: number[]) => ({ list: { i: i.map(String) } });
  const graph = json({
    format: 'graph-model',
    modelTopology: {
      // The nodes are not in the order of the data flow.
      node: [
        { name: 'out', op: 'Relu6', input: ['dw'] },
        {
          name: 'x',
          op: 'Placeholder',
          attr: {
            shape: { shape: { dim: [{ size: '-1' }, { size: '32' }, { size: '32' }, { size: '3' }] } },
          },
        },
        weight('w', 3, 3, 3, 16),
        {
          name: 'conv',
          op: '_FusedConv2D',
          input: ['x', 'w'],
          attr: { strides: list(1, 2, 2, 1), padding: word('SAME'), data_format: word('NHWC') },
        },
        weight('dww', 3, 3, 16, 1),
        {
          name: 'dw',
          op: 'FusedDepthwiseConv2dNative',
          input: ['conv', 'dww'],
          attr: { strides: list(1, 1, 1, 1), padding: word('VALID') },
        },
        { name: 'flat', op: 'Reshape', input: ['out', 'w'] },
        weight('fc', 3136, 10),
        { name: 'dense', op: '_FusedMatMul', input: ['flat', 'fc'] },
      ],
    },
  });

  it('have their layers, also after a Reshape whose target is in the weights', () => {
    const { layers, format } = readNetwork(graph, { batch: 4 });
    expect(format).toBe('tfjs-graph');
    expect(
      layers.map(({ spec }) => [spec.batch, spec.height, spec.cin, spec.cout, spec.groups, spec.padding]),
    ).toEqual([
      [4, 32, 3, 16, 1, 'same'],
      [4, 16, 16, 16, 16, 'valid'],
      [1, 2, 3136, 10, 1, 'same'],
    ]);
  });

  it('a loop of version 1 counts once per iteration of its condition', () => {
    const frame = { frame_name: word('while') };
    const scalar = (name: string) => ({
      name,
      op: 'Const',
      attr: { value: { tensor: { dtype: 'DT_INT32', tensorShape: {} } } },
    });
    const image = { dim: ['1', '8', '8', '4'].map((size) => ({ size })) };
    const node = [
      ...['zero', 'one', 'three'].map(scalar),
      { name: 'x', op: 'Placeholder', attr: { shape: { shape: image } } },
      weight('w', 3, 3, 4, 4),
      { name: 'enter/n', op: 'Enter', input: ['zero'], attr: frame },
      { name: 'enter/x', op: 'Enter', input: ['x'], attr: frame },
      { name: 'n', op: 'Merge', input: ['enter/n', 'next/n'] },
      { name: 'image', op: 'Merge', input: ['enter/x', 'next/x'] },
      { name: 'less', op: 'Less', input: ['n', 'three'] },
      { name: 'goes on', op: 'LoopCond', input: ['less'] },
      { name: 'switch/n', op: 'Switch', input: ['n', 'goes on'] },
      { name: 'switch/x', op: 'Switch', input: ['image', 'goes on'] },
      { name: 'add', op: 'AddV2', input: ['switch/n:1', 'one'] },
      {
        ...{ name: 'conv', op: 'Conv2D', input: ['switch/x:1', 'w'] },
        attr: { strides: list(1, 1, 1, 1), padding: word('SAME') },
      },
      { name: 'next/n', op: 'NextIteration', input: ['add'] },
      { name: 'next/x', op: 'NextIteration', input: ['conv'] },
      { name: 'exit', op: 'Exit', input: ['switch/x'] },
      {
        ...{ name: 'after', op: 'Conv2D', input: ['exit', 'w'] },
        attr: { strides: list(1, 2, 2, 1), padding: word('SAME') },
      },
    ];
    const weights = ['zero', 'one', 'three'].map((name) => ({ name, shape: [], dtype: 'int32' }));
    const file = json({ modelTopology: { node }, weightsManifest: [{ paths: ['w.bin'], weights }] });
    const values = bytesSource(new Uint8Array(new Int32Array([0, 1, 3]).buffer));
    const known = readNetwork(file, { fileBeside: () => values });
    expect(known.layers.map(({ name }) => name)).toEqual(['conv', 'conv', 'conv', 'after']);
    expect(known.completeness.isComplete).toBe(true);
    // Without the values the number of iterations is unknown: the loop counts once, with a note.
    const { layers, completeness } = readNetwork(file);
    expect(layers.map(({ name }) => name)).toEqual(['conv', 'after']);
    expect(completeness.missing.map(({ op }) => op)).toEqual(['LoopCond']);
  });

  it('a cycle is refused', () => {
    const node = [
      { name: 'a', op: 'Relu', input: ['b'] },
      { name: 'b', op: 'Relu', input: ['a'] },
    ];
    expect(() => readNetwork(json({ modelTopology: { node } }))).toThrow(/cycle/);
  });
});
