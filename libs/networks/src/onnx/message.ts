import protobuf from 'protobufjs/light.js';
import { NetworkError } from '../network.js';

/**
 * The part of ONNX's messages that shapes need; everything else in a file is skipped without being copied. Field numbers:
 * onnx.proto of the ONNX project. Sub-graphs and types of sequences are left out on purpose: nothing here nests without bound.
 */
const ROOT = protobuf.Root.fromJSON({
  nested: {
    Model: { fields: { graph: { type: 'Graph', id: 7 } } },
    Graph: {
      fields: {
        node: { rule: 'repeated', type: 'Node', id: 1 },
        name: { type: 'string', id: 2 },
        initializer: { rule: 'repeated', type: 'Tensor', id: 5 },
        input: { rule: 'repeated', type: 'ValueInfo', id: 11 },
        valueInfo: { rule: 'repeated', type: 'ValueInfo', id: 13 },
      },
    },
    Node: {
      fields: {
        input: { rule: 'repeated', type: 'string', id: 1 },
        output: { rule: 'repeated', type: 'string', id: 2 },
        name: { type: 'string', id: 3 },
        opType: { type: 'string', id: 4 },
        attribute: { rule: 'repeated', type: 'Attribute', id: 5 },
      },
    },
    Attribute: {
      fields: {
        name: { type: 'string', id: 1 },
        i: { type: 'int64', id: 3 },
        s: { type: 'bytes', id: 4 },
        t: { type: 'Tensor', id: 5 },
        ints: { rule: 'repeated', type: 'int64', id: 8 },
      },
    },
    Tensor: {
      fields: {
        dims: { rule: 'repeated', type: 'int64', id: 1 },
        dataType: { type: 'int32', id: 2 },
        floatData: { rule: 'repeated', type: 'float', id: 4 },
        int32Data: { rule: 'repeated', type: 'int32', id: 5 },
        int64Data: { rule: 'repeated', type: 'int64', id: 7 },
        name: { type: 'string', id: 8 },
        rawData: { type: 'bytes', id: 9 },
      },
    },
    ValueInfo: { fields: { name: { type: 'string', id: 1 }, type: { type: 'Type', id: 2 } } },
    Type: { fields: { tensorType: { type: 'TensorType', id: 1 } } },
    TensorType: { fields: { elemType: { type: 'int32', id: 1 }, shape: { type: 'Shape', id: 2 } } },
    Shape: { fields: { dim: { rule: 'repeated', type: 'Dimension', id: 1 } } },
    Dimension: { fields: { dimValue: { type: 'int64', id: 1 }, dimParam: { type: 'string', id: 2 } } },
  },
});
const GRAPH_FIELD = 7;
/** Wire type of texts, bytes, messages and packed lists. */
const LENGTH_DELIMITED = 2;
type Scalar = 'string' | 'bytes' | 'int32' | 'int64' | 'float';
/** Operators, weights and descriptions of values together. */
const MOST_ENTRIES = 500_000;
const MODEL = ROOT.lookupType('Model');

/** int64 of the wire; sizes are far below 2^53. */
export type Int64 = number | { toNumber: () => number };

export interface OnnxTensor {
  dims: Int64[];
  dataType: number;
  floatData: number[];
  int32Data: number[];
  int64Data: Int64[];
  name: string;
  rawData: Uint8Array;
}

export interface OnnxAttribute {
  name: string;
  i: Int64;
  s: Uint8Array;
  t: OnnxTensor | null;
  ints: Int64[];
}

export interface OnnxNode {
  input: string[];
  output: string[];
  name: string;
  opType: string;
  attribute: OnnxAttribute[];
}

export interface OnnxValueInfo {
  name: string;
  type: {
    tensorType: {
      elemType: number;
      shape: { dim: { dimValue: Int64; dimParam: string }[] } | null;
    } | null;
  } | null;
}

export interface OnnxGraph {
  node: OnnxNode[];
  name: string;
  initializer: OnnxTensor[];
  input: OnnxValueInfo[];
  valueInfo: OnnxValueInfo[];
}

/** @throws NetworkError `malformed` */
export function decodeOnnx(bytes: Uint8Array): OnnxGraph {
  let graph: OnnxGraph | null;
  try {
    checkCount(bytes);
    const reader = protobuf.Reader.create(bytes);
    ({ graph } = decoded(MODEL, reader, reader.len) as unknown as { graph: OnnxGraph | null });
  } catch (error) {
    if (error instanceof NetworkError) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    throw new NetworkError('malformed', `This is no whole ONNX file: ${reason}.`, { cause: error });
  }
  if (graph === null || graph.node.length === 0) {
    throw new NetworkError('malformed', 'This ONNX file has no graph with operators in it.');
  }
  return graph;
}

/** Counts without decoding: empty operators take two bytes in a file and hundreds in memory. */
function checkCount(bytes: Uint8Array): void {
  const reader = protobuf.Reader.create(bytes);
  let count = 0;
  while (reader.pos < reader.len) {
    const tag = reader.uint32();
    if (tag >>> 3 !== GRAPH_FIELD) {
      reader.skipType(tag & 7);
      continue;
    }
    const end = reader.uint32() + reader.pos;
    while (reader.pos < end) {
      reader.skipType(reader.uint32() & 7);
      count += 1;
    }
  }
  if (count > MOST_ENTRIES) {
    throw new NetworkError('too-large', `The graph has ${count} entries; at most ${MOST_ENTRIES} are read.`);
  }
}

/**
 * What protobufjs' own `decode` gives, without making code at run time: a page of the dashboard reads networks too, and its
 * policy forbids that. As deep as the messages above, which do not nest without bound.
 */
function decoded(type: protobuf.Type, reader: protobuf.Reader, end: number): Record<string, unknown> {
  const message: Record<string, unknown> = {};
  for (const field of type.fieldsArray) {
    field.resolve();
    message[field.name] = field.repeated ? [] : field.defaultValue;
  }
  while (reader.pos < end) {
    const tag = reader.uint32();
    const field = type.fieldsById[tag >>> 3];
    if (field === undefined) {
      reader.skipType(tag & 7);
      continue;
    }
    const read = () => {
      if (!(field.resolvedType instanceof protobuf.Type)) return reader[field.type as Scalar]();
      const length = reader.uint32();
      return decoded(field.resolvedType, reader, reader.pos + length);
    };
    if (!field.repeated) {
      message[field.name] = read();
      continue;
    }
    const list = message[field.name] as unknown[];
    const isPacked = (tag & 7) === LENGTH_DELIMITED && field.type in protobuf.types.packed;
    const last = isPacked ? reader.uint32() + reader.pos : 0;
    do list.push(read());
    while (reader.pos < last);
  }
  if (reader.pos !== end) throw new RangeError('a part of it is longer than what it is in');
  return message;
}

/** The graph's file, for tests and for tools that make networks. */
export function encodeOnnx(graph: object): Uint8Array {
  return MODEL.encode(MODEL.fromObject({ graph })).finish();
}

export function toNumber(value: Int64): number {
  return typeof value === 'number' ? value : value.toNumber();
}
