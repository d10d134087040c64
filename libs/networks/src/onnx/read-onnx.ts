import type { ByteSource } from '../byte-source.js';
import { openInput, resolveInputs, type DescribedInput } from '../inputs.js';
import { NetworkBuilder } from '../network-builder.js';
import type { Network, ReadOptions } from '../network.js';
import { sized, type Tensor } from '../tensors/tensor.js';
import { decodeOnnx } from './decode.js';
import { DescribedValues } from './described-values.js';
import { Evaluator } from './evaluate.js';
import type { OnnxValueInfo } from './schema.js';
import { Scope } from './scope.js';
import { elementType } from './tensor-of.js';

/**
 * Reads the layers of an ONNX file (any operator set). Sizes are inferred from the inputs. If a rule cannot compute a
 * size, it comes from the file. Weights are not loaded.
 *
 * @throws NetworkError `malformed`, `too-large`, `unknown-size`, `bad-option`
 */
export function readOnnx(source: ByteSource, options: ReadOptions = {}): Network {
  return evaluateOnnx(source, options).network;
}

/** Like `readOnnx`, but also returns the known properties of every value of the graph. */
export function evaluateOnnx(
  source: ByteSource,
  options: ReadOptions = {},
): { network: Network; values: ReadonlyMap<string, Tensor> } {
  const model = decodeOnnx(source);
  const { graph } = model;
  const builder = new NetworkBuilder();
  const weights = new Set(graph.initializer.map(({ name }) => name));
  for (const { values } of graph.sparseInitializer) if (values !== null) weights.add(values.name);
  // Old files also list their weights as inputs.
  const inputs = graph.input.filter(({ name }) => !weights.has(name));
  const described = inputs.map(describedInput);
  const { inputs: resolved, named } = resolveInputs(described, options);
  const scope = new Scope(null, DescribedValues.of(graph, named), null, 0);
  resolved.forEach(({ name, shape }, at) => {
    const type = elementType(inputs[at]?.type?.tensorType?.elemType ?? 0);
    scope.set(name, { ...sized(shape, type), lostAt: shape === null ? { name, op: INPUT } : null });
  });
  builder.batch = resolved[0]?.shape?.[0] ?? null;
  new Evaluator(model, builder).runGraph(graph, scope);
  const network = builder.build('onnx', graph.name === '' ? null : graph.name);
  const { firstLoss } = network.completeness;
  // An open input that no layer needs loses nothing.
  const open = firstLoss?.op === INPUT ? resolved.find(({ name }) => name === firstLoss.name) : undefined;
  if (open !== undefined) throw openInput(open, open === resolved[0]);
  return { network, values: new Map(scope.entries()) };
}

const INPUT = 'input';

function describedInput({ name, type }: OnnxValueInfo): DescribedInput {
  const shape = type?.tensorType?.shape ?? null;
  const sizes = shape?.dim.map(({ dimValue, dimParam }) => {
    if (dimValue > 0) return dimValue;
    return dimParam === '' ? null : dimParam;
  });
  return { name, sizes: sizes ?? null };
}
