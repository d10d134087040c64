import type { ApiClient } from '@alphaflops/api-client';
import { type DatasetRow, type DeviceClass, MAX_IMPORT_ROWS, type Provenance } from '@alphaflops/contracts';
import type { NumberedRow } from '@alphaflops/dataset';
import { provenanceId } from '@alphaflops/provenance';
import { answered } from '../pages.js';

/** Size of the rows of one request. */
const MAX_CHARACTERS = 4 * 2 ** 20;
const MAX_PROVENANCE = 1000;

export interface Imported {
  recorded: number;
  present: number;
}

export interface ToImport {
  readonly rows: AsyncIterable<NumberedRow>;
  readonly deviceClasses: readonly DeviceClass[];
  readonly provenance: readonly Provenance[];
}

/** Sends rows in requests of a bounded size. An interrupted import can be repeated: nothing is stored twice. */
export async function importRows(
  api: ApiClient,
  { rows, deviceClasses, provenance }: ToImport,
  onProgress: (rows: number) => void,
): Promise<Imported> {
  const total: Imported = { recorded: 0, present: 0 };
  const records = new Map(provenance.map((record) => [provenanceId(record), record]));
  const sent = new Set<string>();
  let part: DatasetRow[] = [];
  let characters = 0;
  const flush = async (): Promise<void> => {
    const named = new Set(part.map((row) => row.provenance_id ?? ''));
    const unsent = [...records].filter(([id]) => named.has(id) && !sent.has(id)).slice(0, MAX_PROVENANCE);
    const classes = new Set(part.map((row) => row.device_class_id));
    const { data } = await api.POST('/v1/datasets/imports', {
      body: {
        deviceClasses: deviceClasses.filter(({ id }) => classes.has(id)),
        provenance: unsent.map(([, record]) => record),
        rows: part,
      },
    });
    const { recorded, present } = answered(data);
    total.recorded += recorded;
    total.present += present;
    for (const [id] of unsent) sent.add(id);
    part = [];
    characters = 0;
    onProgress(total.recorded + total.present);
  };
  for await (const { row } of rows) {
    part.push(row);
    // A row is long only because of its batch times.
    characters += 1500 + 20 * row.batch_times_ms.length;
    if (part.length === MAX_IMPORT_ROWS || characters > MAX_CHARACTERS) await flush();
  }
  if (part.length > 0) await flush();
  return total;
}
