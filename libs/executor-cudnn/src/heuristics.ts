import type { Dtype } from '@alphaflops/conv';
import { type EngineConfig, kernelName } from '@alphaflops/contracts';
import type { Backend, Descriptor } from './backend.js';
import { type Attribute, type Descriptors, enumerated, references } from './descriptors.js';

/** cudnnBackendHeurMode_t. `instant` ranks engine configurations; `fallback` lists those that work for nearly everything. */
const MODES = { instant: 0, fallback: 2 } as const;
export type HeuristicMode = keyof typeof MODES;

/** cudnnBackendAttributeName_t. */
const HEURISTICS = { mode: 200, graph: 201, results: 202, deviceProperties: 204 } as const;
const CONFIG = { engine: 300, knobs: 302 } as const;
const KNOB = { type: 600, value: 601 } as const;
const ENGINE = { index: 1301, numericalNotes: 1303 } as const;

/** cudnnBackendNumericalNote_t, in order. */
const NUMERICAL_NOTES = [
  'tensor-core',
  'down-convert-inputs',
  'reduced-precision-reduction',
  'fft',
  'nondeterministic',
  'winograd',
  'winograd-tile-4x4',
  'winograd-tile-6x6',
  'winograd-tile-13x13',
  'strict-nan-propagation',
] as const;
/** Computation uses the precision of the inputs, and products are summed in f32. */
const NEVER: ReadonlySet<string> = new Set(['down-convert-inputs', 'reduced-precision-reduction']);
/** CUDNN_KNOB_TYPE_COUNTS is 44 in the newest version; this limit allows more. */
const MAX_KNOBS = 64;
const MAX_NOTES = 20;

/** How a convolution may be computed. */
export interface MathRules {
  /** Whether f32 may be computed in TF32, on tensor cores. */
  readonly tf32: boolean;
}

/** An engine configuration that the heuristics propose. */
export interface Proposal extends EngineConfig {
  readonly config: Descriptor;
  /** Name in cudnn-frontend's spelling. */
  readonly name: string;
  readonly numericalNotes: string[];
}

/**
 * Engine configurations for a graph, the most promising first.
 *
 * @param deviceProperties a finalised descriptor, for graphs without a handle
 * @param most largest number of configurations
 * @throws GpuError
 */
export function proposals(
  descriptors: Descriptors,
  graph: Descriptor,
  mode: HeuristicMode,
  most: number,
  deviceProperties: Descriptor | null = null,
): Proposal[] {
  const { backend } = descriptors;
  const attributes: Attribute[] = [
    references(HEURISTICS.graph, 'descriptor', graph),
    enumerated(HEURISTICS.mode, 'heuristicMode', MODES[mode]),
  ];
  if (deviceProperties !== null) {
    attributes.push(references(HEURISTICS.deviceProperties, 'descriptor', deviceProperties));
  }
  const heuristics = descriptors.finalized('heuristics', attributes);
  return results(descriptors, 'engineConfig', most, (found) =>
    backend.get(heuristics, HEURISTICS.results, 'descriptor', found),
  ).map((config) => described(descriptors, config));
}

/** Whether the rules allow the numerical properties of the engine: no conversion to lower precision, and sums in f32. */
export function isAllowed({ numericalNotes }: Proposal, dtype: Dtype, { tf32 }: MathRules): boolean {
  if (numericalNotes.some((note) => NEVER.has(note))) return false;
  return dtype !== 'f32' || tf32 || !numericalNotes.includes('tensor-core');
}

function described(descriptors: Descriptors, config: Descriptor): Proposal {
  const { backend } = descriptors;
  const [engine = 0n] = results(descriptors, 'engine', 1, (found) =>
    backend.get(config, CONFIG.engine, 'descriptor', found),
  );
  const index = new BigInt64Array(1);
  backend.get(engine, ENGINE.index, 'int64', index);
  const knobs = results(descriptors, 'knobChoice', MAX_KNOBS, (found) =>
    backend.get(config, CONFIG.knobs, 'descriptor', found),
  ).map((choice) => {
    const [type, value] = [new Int32Array(1), new BigInt64Array(1)];
    backend.get(choice, KNOB.type, 'knobType', type);
    backend.get(choice, KNOB.value, 'int64', value);
    return { type: type[0] ?? 0, value: Number(value[0]) };
  });
  const spelled = { engine: Number(index[0]), knobs };
  return { ...spelled, name: kernelName(spelled), config, numericalNotes: notesOf(backend, engine) };
}

function notesOf(backend: Backend, engine: Descriptor): string[] {
  const notes = new Int32Array(MAX_NOTES);
  const count = backend.get(engine, ENGINE.numericalNotes, 'numericalNote', notes);
  return [...notes.subarray(0, count)].map((note) => NUMERICAL_NOTES[note] ?? `note-${note}`);
}

/** Each query needs new result descriptors. */
function results(
  descriptors: Descriptors,
  kind: 'engineConfig' | 'engine' | 'knobChoice',
  most: number,
  fill: (found: BigUint64Array & { readonly length: number }) => number,
): Descriptor[] {
  const found = BigUint64Array.from({ length: most }, () => descriptors.empty(kind));
  return [...found.subarray(0, fill(found))];
}
