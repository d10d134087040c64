import { type ConvSpec, kernelGroup, macs, OPTIONAL_FIELDS } from '@alphaflops/conv';
import { useQuery, type UseQueryResult } from '@tanstack/react-query';
import { fetchRaw, type Session, useSession } from './session.js';

/** A measured ConvSpec with its values from the canonical CSV. */
export interface Point {
  readonly spec: ConvSpec;
  readonly timeMs: number;
  readonly energyMillijoules: number | null;
  readonly macs: number;
  readonly group: '1x1' | 'other';
}

export interface SampleFilter {
  readonly campaignId?: string;
  readonly deviceClassId?: string;
  readonly recordedFrom?: string;
  readonly recordedTo?: string;
}

const TEXT_COLUMNS = ['dtype', 'padding', 'layout', 'pass'];
/** Columns that belong to the convolution; the API refuses any other field of a layer. */
const SPEC_COLUMNS: readonly string[] = [
  ...['batch', 'height', 'width', 'cin', 'cout', 'kernel_h', 'kernel_w', 'stride', 'groups'],
  ...['dtype', 'padding', 'layout'],
  ...OPTIONAL_FIELDS,
];

export function streamPath(filter: SampleFilter & { outcome?: string }, format: 'csv' | 'jsonl'): string {
  return `/v1/samples/stream?${new URLSearchParams({ ...filter, format }).toString()}`;
}

/**
 * All matching ok samples from the canonical CSV, which has a twentieth of the size of whole samples. Chunks are parsed
 * when they arrive, so that the page stays responsive.
 */
export async function measuredPoints(
  session: Pick<Session, 'token'>,
  filter: SampleFilter,
  signal?: AbortSignal,
): Promise<Point[]> {
  const path = `${streamPath(filter, 'csv')}&columns=all`;
  const { body } = await fetchRaw(session, path, signal === undefined ? {} : { signal });
  const points: Point[] = [];
  if (body === null) return points;
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let columns: string[] | null = null;
  let rest = '';
  for (;;) {
    const { done, value } = await reader.read();
    const lines = (rest + (value ?? '')).split('\n');
    rest = done ? '' : (lines.pop() ?? '');
    for (const line of lines) {
      if (line === '') continue;
      if (columns === null) columns = line.trim().split(',');
      else points.push(pointOf(columns, line));
    }
    if (done) return points;
    await nextTask();
  }
}

export function usePoints(filter: SampleFilter, version: number | string = 0): UseQueryResult<Point[]> {
  const session = useSession();
  return useQuery({
    queryKey: ['points', filter, version],
    queryFn: ({ signal }) => measuredPoints(session, filter, signal),
    placeholderData: (before) => before,
    staleTime: 60_000,
    structuralSharing: false,
  });
}

function pointOf(columns: readonly string[], line: string): Point {
  const cells = line.trim().split(',');
  const values: Record<string, string | number> = {};
  for (const [at, column] of columns.entries()) {
    const cell = cells[at] ?? '';
    // An optional field without a value is absent, not 0.
    if (cell === '' && OPTIONAL_FIELDS.some((name) => name === column)) continue;
    values[column] = TEXT_COLUMNS.includes(column) ? cell : Number(cell);
  }
  const spec = Object.fromEntries(
    Object.entries(values).filter(([name]) => SPEC_COLUMNS.includes(name)),
  ) as unknown as ConvSpec;
  const energyMillijoules = Number(values['energy_mj'] ?? 0);
  return {
    ...{
      spec,
      timeMs: values['time_ms'] as number,
      energyMillijoules: energyMillijoules > 0 ? energyMillijoules : null,
    },
    ...{ macs: macs(spec), group: kernelGroup(spec) },
  };
}

/** Lets the page paint and respond before the next part of the work. */
export function nextTask(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve));
}
