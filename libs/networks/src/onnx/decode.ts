import { errorText } from '@alphaflops/contracts';
import type { ByteSource } from '../byte-source.js';
import { NetworkError } from '../network.js';
import { protobufFormat } from '../other-formats.js';
import { MESSAGES, type MessageName, type OnnxGraph, type OnnxModel } from './schema.js';
import { WireReader } from './wire.js';

/** The maximum number of operators, weights and value descriptions together. */
const MAX_ENTRIES = 500_000;
const ENTRIES: ReadonlySet<string> = new Set<MessageName>(['Node', 'Tensor', 'ValueInfo', 'Function']);
/** The maximum number of attributes, axes and other parts of entries. */
const MAX_PARTS = 4_000_000;
/** Values with more bytes are weights, from which no size is computed. */
const MAX_VALUE_BYTES = 16 * 1024;
/** The maximum number of bytes of all stored values and names. */
const MAX_KEPT_BYTES = 128 * 2 ** 20;
/** Maximum depth of graphs inside operators. */
const MAX_DEPTH = 100;
const LENGTH_DELIMITED = 2;
const GRAPH_FIELD = 7;

type Message = Record<string, unknown>;
interface Field {
  readonly name: string;
  readonly type: string;
  readonly isRepeated: boolean;
}

const FIELDS = new Map<string, ReadonlyMap<number, Field>>(
  Object.entries(MESSAGES).map(([message, fields]) => [
    message,
    new Map(
      Object.entries(fields as Record<string, readonly [string, string]>).map(([number, [name, type]]) => [
        Number(number),
        { name, type: type.replace('[]', ''), isRepeated: type.endsWith('[]') },
      ]),
    ),
  ]),
);

/** @throws NetworkError `malformed`, `too-large` */
export function decodeOnnx(source: ByteSource): OnnxModel & { graph: OnnxGraph } {
  const model = readable(() => {
    countEntries(source);
    return new Decoder(source).model();
  });
  const { graph } = model;
  if (graph === null || graph.node.length === 0) {
    const other = graph === null ? protobufFormat(fieldsOf(source)) : null;
    throw other ?? new NetworkError('malformed', 'This ONNX file contains no graph with operators.');
  }
  return { ...model, graph };
}

/** @throws NetworkError `malformed` for bytes that are not in the wire format */
function readable<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof NetworkError) throw error;
    const reason = errorText(error);
    throw new NetworkError('malformed', `This is not a valid ONNX file: ${reason}.`, { cause: error });
  }
}

/** Counts the entries without decoding them: an empty operator needs two bytes in a file, but hundreds in memory. */
function countEntries(source: ByteSource): void {
  const wire = new WireReader(source);
  let entries = 0;
  while (wire.position < wire.size) {
    const [field, wireType] = wire.tag();
    if (field !== GRAPH_FIELD || wireType !== LENGTH_DELIMITED) {
      wire.skip(wireType);
      continue;
    }
    const end = wire.end();
    while (wire.position < end) {
      wire.skip(wire.tag()[1]);
      entries += 1;
      if (entries > MAX_ENTRIES) throw tooMany();
    }
  }
}

function tooMany(): NetworkError {
  return new NetworkError('too-large', `The graph has more entries than the limit of ${MAX_ENTRIES}.`);
}

/** Returns the field numbers of the outermost message. Stops where the file becomes unreadable. */
function fieldsOf(source: ByteSource): Set<number> {
  const wire = new WireReader(source);
  const fields = new Set<number>();
  while (wire.position < wire.size) {
    const [field, wireType] = wire.tag();
    fields.add(field);
    wire.skip(wireType);
  }
  return fields;
}

class Decoder {
  private readonly wire: WireReader;
  private entries = 0;
  private parts = 0;
  private keptBytes = 0;

  constructor(source: ByteSource) {
    this.wire = new WireReader(source);
  }

  model(): OnnxModel {
    return this.message('Model', this.wire.size, 0) as unknown as OnnxModel;
  }

  private message(type: string, end: number, depth: number): Message {
    this.count(type, depth);
    const fields = FIELDS.get(type) ?? new Map<number, Field>();
    const message: Message = {};
    for (const { name, type: fieldType, isRepeated } of fields.values()) {
      message[name] = isRepeated ? [] : nothing(fieldType);
    }
    while (this.wire.position < end) {
      const [number, wireType] = this.wire.tag();
      const field = fields.get(number);
      if (field === undefined) this.wire.skip(wireType);
      else this.field(message, field, wireType, depth);
    }
    if (this.wire.position !== end)
      throw new RangeError('a part is longer than the message that contains it');
    return message;
  }

  private field(message: Message, { name, type, isRepeated }: Field, wireType: number, depth: number): void {
    if (wireType !== LENGTH_DELIMITED) {
      if (type in MESSAGES || type === 'string' || type === 'bytes') {
        throw new RangeError(`the field ${name} has a wrong type`);
      }
      const value = this.number(type);
      if (isRepeated) (message[name] as unknown[]).push(value);
      else message[name] = value;
      return;
    }
    const end = this.wire.end();
    if (type in MESSAGES) {
      const inner = this.message(type, end, depth + 1);
      if (isRepeated) (message[name] as unknown[]).push(inner);
      else message[name] = inner;
      return;
    }
    const length = end - this.wire.position;
    this.keptBytes += length <= MAX_VALUE_BYTES ? length : 0;
    if (length > MAX_VALUE_BYTES || this.keptBytes > MAX_KEPT_BYTES) {
      this.wire.position = end;
      return;
    }
    if (type === 'string' || type === 'bytes') {
      const value = type === 'string' ? this.wire.string(length) : this.wire.bytes(length);
      if (isRepeated) (message[name] as unknown[]).push(value);
      else message[name] = value;
      return;
    }
    if (!isRepeated) throw new RangeError(`the field ${name} has a wrong type`);
    while (this.wire.position < end) (message[name] as unknown[]).push(this.number(type));
  }

  private number(type: string): number {
    switch (type) {
      case 'float':
        return this.wire.float();
      case 'double':
        return this.wire.double();
      case 'int32':
        return this.wire.int32();
      case 'uint64':
        return this.wire.uint64();
      default:
        return this.wire.int64();
    }
  }

  /** Graphs inside operators also have entries. */
  private count(type: string, depth: number): void {
    this.parts += 1;
    if (ENTRIES.has(type)) this.entries += 1;
    if (this.entries > MAX_ENTRIES || this.parts > MAX_PARTS) throw tooMany();
    if (depth > MAX_DEPTH) throw new RangeError('its graphs are nested too deeply');
  }
}

function nothing(type: string): unknown {
  if (type in MESSAGES) return null;
  return type === 'string' ? '' : type === 'bytes' ? new Uint8Array() : 0;
}
