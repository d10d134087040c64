import { openInput, resolveInputs, type DescribedInput } from '../inputs.js';
import { NetworkBuilder } from '../network-builder.js';
import { NetworkError, type Network, type ReadOptions } from '../network.js';
import { sized, type Tensor } from '../tensors/tensor.js';
import { smallConstants } from './constants.js';
import { dims, GraphModelSchema, typeOf, type GraphNode } from './graph.js';
import { GraphRun } from './run-graph.js';

const INPUT = 'input';

/**
 * Reads the layers of a TensorFlow.js graph model. Its `model.json` has the sizes of all weights, but not the values
 * of small constants (paddings, the sizes of a Reshape). These values are in the weight files of the model. Without
 * these files, sizes that depend on the constants are unknown.
 *
 * @throws NetworkError `malformed`, `unknown-size`, `bad-option`
 */
export function readGraph(json: unknown, options: ReadOptions = {}): Network {
  const parsed = GraphModelSchema.safeParse(json);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    const where = issue?.path.join('.') ?? '';
    throw new NetworkError('malformed', `This is not a graph model: ${where}: ${issue?.message ?? ''}.`);
  }
  const { modelTopology, weightsManifest } = parsed.data;
  const builder = new NetworkBuilder();
  const placeholders = modelTopology.node.filter(({ op }) => op === 'Placeholder');
  const described = placeholders.map(describedInput);
  const inputs = new Map<string, Tensor>();
  const { inputs: resolved } = resolveInputs(described, options);
  resolved.forEach(({ name, shape }, at) => {
    const value = sized(shape, typeOf(placeholders[at]?.attr?.['dtype']?.type));
    inputs.set(name, { ...value, lostAt: shape === null ? { name, op: INPUT } : null });
  });
  builder.batch = inputs.get(described[0]?.name ?? '')?.shape?.[0] ?? null;
  const functions = (modelTopology.library?.function ?? []).map(
    (each) => [each.signature.name, each] as const,
  );
  const constants = smallConstants(weightsManifest ?? [], options.fileBeside);
  new GraphRun({ functions: new Map(functions), constants }, builder).run(modelTopology.node, inputs);
  const network = builder.build('tfjs-graph', null);
  const { firstLoss } = network.completeness;
  const open = firstLoss?.op === INPUT ? resolved.find(({ name }) => name === firstLoss.name) : undefined;
  if (open !== undefined) throw openInput(open, open === resolved[0]);
  return network;
}

function describedInput({ name, attr }: GraphNode): DescribedInput {
  const sizes = dims(attr?.['shape']?.shape);
  return { name, sizes: sizes?.map((size) => (size >= 1 ? size : null)) ?? null };
}
