/**
 * A field of a message: its name and its type, which is a scalar or another message. The suffix `[]` marks a repeated
 * field.
 */
type FieldTable = Readonly<Record<number, readonly [name: string, type: string]>>;

/**
 * The part of the ONNX messages that is needed for sizes, by field numbers. Everything else in a file is skipped.
 * Source: onnx/onnx.proto of the ONNX project, IR version 11.
 */
export const MESSAGES = {
  Model: {
    7: ['graph', 'Graph'],
    8: ['opsetImport', 'Opset[]'],
    25: ['functions', 'Function[]'],
  },
  Opset: { 1: ['domain', 'string'], 2: ['version', 'int64'] },
  Graph: {
    1: ['node', 'Node[]'],
    2: ['name', 'string'],
    5: ['initializer', 'Tensor[]'],
    11: ['input', 'ValueInfo[]'],
    12: ['output', 'ValueInfo[]'],
    13: ['valueInfo', 'ValueInfo[]'],
    15: ['sparseInitializer', 'SparseTensor[]'],
  },
  Function: {
    1: ['name', 'string'],
    4: ['input', 'string[]'],
    5: ['output', 'string[]'],
    7: ['node', 'Node[]'],
    10: ['domain', 'string'],
    11: ['attributeProto', 'Attribute[]'],
    13: ['overload', 'string'],
  },
  Node: {
    1: ['input', 'string[]'],
    2: ['output', 'string[]'],
    3: ['name', 'string'],
    4: ['opType', 'string'],
    5: ['attribute', 'Attribute[]'],
    7: ['domain', 'string'],
    8: ['overload', 'string'],
  },
  Attribute: {
    1: ['name', 'string'],
    2: ['f', 'float'],
    3: ['i', 'int64'],
    4: ['s', 'bytes'],
    5: ['t', 'Tensor'],
    6: ['g', 'Graph'],
    7: ['floats', 'float[]'],
    8: ['ints', 'int64[]'],
    9: ['strings', 'bytes[]'],
    21: ['refAttrName', 'string'],
  },
  Tensor: {
    1: ['dims', 'int64[]'],
    2: ['dataType', 'int32'],
    4: ['floatData', 'float[]'],
    5: ['int32Data', 'int32[]'],
    7: ['int64Data', 'int64[]'],
    8: ['name', 'string'],
    9: ['rawData', 'bytes'],
    10: ['doubleData', 'double[]'],
    11: ['uint64Data', 'uint64[]'],
  },
  SparseTensor: { 1: ['values', 'Tensor'], 3: ['dims', 'int64[]'] },
  ValueInfo: { 1: ['name', 'string'], 2: ['type', 'Type'] },
  Type: { 1: ['tensorType', 'TensorType'] },
  TensorType: { 1: ['elemType', 'int32'], 2: ['shape', 'Shape'] },
  Shape: { 1: ['dim', 'Dimension[]'] },
  Dimension: { 1: ['dimValue', 'int64'], 2: ['dimParam', 'string'] },
} as const satisfies Record<string, FieldTable>;

export type MessageName = keyof typeof MESSAGES;

export interface OnnxTensor {
  dims: number[];
  dataType: number;
  floatData: number[];
  int32Data: number[];
  int64Data: number[];
  doubleData: number[];
  uint64Data: number[];
  name: string;
  /** Empty if it is too large to be the source of a size. */
  rawData: Uint8Array;
}

export interface OnnxAttribute {
  name: string;
  f: number;
  i: number;
  s: Uint8Array;
  t: OnnxTensor | null;
  g: OnnxGraph | null;
  floats: number[];
  ints: number[];
  strings: Uint8Array[];
  /** In the body of a function: the name of the call attribute that replaces this one. */
  refAttrName: string;
}

export interface OnnxNode {
  input: string[];
  output: string[];
  name: string;
  opType: string;
  domain: string;
  overload: string;
  attribute: OnnxAttribute[];
}

export interface OnnxValueInfo {
  name: string;
  type: {
    tensorType: {
      elemType: number;
      shape: { dim: { dimValue: number; dimParam: string }[] } | null;
    } | null;
  } | null;
}

export interface OnnxGraph {
  node: OnnxNode[];
  name: string;
  initializer: OnnxTensor[];
  sparseInitializer: { values: OnnxTensor | null; dims: number[] }[];
  input: OnnxValueInfo[];
  output: OnnxValueInfo[];
  valueInfo: OnnxValueInfo[];
}

export interface OnnxFunction {
  name: string;
  domain: string;
  overload: string;
  input: string[];
  output: string[];
  node: OnnxNode[];
  attributeProto: OnnxAttribute[];
}

export interface OnnxModel {
  graph: OnnxGraph | null;
  opsetImport: { domain: string; version: number }[];
  functions: OnnxFunction[];
}
