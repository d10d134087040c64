import protobuf from 'protobufjs/light.js';
import { MESSAGES } from './schema.js';

/** Fields that other ONNX readers require. */
const FOR_OTHERS: Readonly<Record<string, object>> = {
  Model: { irVersion: { id: 1, type: 'int64' } },
  Attribute: { type: { id: 20, type: 'int32' } },
};

const ROOT = protobuf.Root.fromJSON({
  nested: Object.fromEntries(
    Object.entries(MESSAGES).map(([message, fields]) => [
      message,
      {
        fields: {
          ...FOR_OTHERS[message],
          ...Object.fromEntries(
            Object.entries(fields as Record<string, readonly [string, string]>).map(([id, [name, type]]) => [
              name,
              {
                id: Number(id),
                type: type.replace('[]', ''),
                ...(type.endsWith('[]') && { rule: 'repeated' }),
              },
            ]),
          ),
        },
      },
    ]),
  ),
});

/** Encodes an ONNX file with a graph and optional functions, for tests and for tools that create networks. */
export function encodeOnnx(graph: object, model: object = {}): Uint8Array {
  const type = ROOT.lookupType('Model');
  return type.encode(type.fromObject({ graph, ...model })).finish();
}
