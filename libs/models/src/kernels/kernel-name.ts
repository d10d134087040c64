import { engineConfigOf, kernelName } from '@alphaflops/contracts';

/** The parts of the name of a kernel, for example `eng46_k2=4_k5=2_k14=3`. */
export interface KernelName {
  /** Engine and knobs that select the program, without those that only split the accumulation. */
  readonly kernel: string;
  readonly engine: string;
  /** Number of the engine; −1 for a program that has only a name. */
  readonly engineNumber: number;
  /** Number of parts of a split accumulation (split-K); 1 if it is not split. */
  readonly parts: number;
  /** Value of each knob, by its number in cuDNN's `cudnnBackendKnobType_t`. */
  readonly knobs: ReadonlyMap<number, number>;
}

/** Knobs that split the accumulation: `SPLIT_K`, `SPLIT_K_BUF` and `SPLIT_K_SLC` of `cudnnBackendKnobType_t`. */
const [SPLIT_K, SPLIT_K_BUFFERS, SPLIT_K_SLICE] = [0, 12, 17] as const;
const SPLITS: ReadonlySet<number> = new Set([SPLIT_K, SPLIT_K_BUFFERS, SPLIT_K_SLICE]);

/**
 * Reads a kernel's name. Any text is a name: a program that is not an engine of cuDNN is its own engine.
 *
 * @param text such as `eng0_k2=4_k13=1`
 */
export function kernelNameOf(text: string): KernelName {
  const config = engineConfigOf(text);
  if (config === null) return { kernel: text, engine: text, engineNumber: -1, parts: 1, knobs: new Map() };
  const { engine, knobs } = config;
  const byType = new Map(knobs.map(({ type, value }) => [type, value]));
  return {
    kernel: kernelName({ engine, knobs: knobs.filter(({ type }) => !SPLITS.has(type)) }),
    engine: kernelName({ engine, knobs: [] }),
    engineNumber: engine,
    parts: Math.max(1, byType.get(SPLIT_K) ?? byType.get(SPLIT_K_BUFFERS) ?? 1),
    knobs: byType,
  };
}
