import { hasOptionalFields, type ConvSpec } from '@alphaflops/conv';
import { readSpecs } from './read.js';
import type { TextSource } from './text-source.js';
import { specColumns, writeCsv } from './write.js';

/** A shape and its kernel, without a time. */
export interface LabelledSpec {
  readonly spec: ConvSpec;
  /** As cudnn-frontend spells it. */
  readonly kernel: string;
}

/**
 * Shapes with a kernel. Rows without a kernel are skipped.
 *
 * @throws DatasetError as {@link readSpecs}
 */
export async function readKernelLabels(source: TextSource, file: string): Promise<LabelledSpec[]> {
  const labels: LabelledSpec[] = [];
  for await (const { spec, extras } of readSpecs(source, file)) {
    if (extras.kernel !== undefined) labels.push({ spec, kernel: extras.kernel });
  }
  return labels;
}

/** Labelled shapes as CSV: the canonical columns of a ConvSpec, and the kernel. */
export async function* writeKernelLabels(labels: readonly LabelledSpec[]): AsyncGenerator<string> {
  const columns = specColumns(labels.some(({ spec }) => hasOptionalFields(spec)));
  yield* writeCsv(
    [...columns, 'kernel'],
    labels.map(({ spec, kernel }) => [...columns.map((column) => spec[column]), kernel]),
  );
}
