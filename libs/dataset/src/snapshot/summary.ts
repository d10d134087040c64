import type { ColumnGroup, Dataset, DatasetRow } from '@alphaflops/contracts';
import { COLUMN_GROUPS, type FurtherColumns, groupsOf } from './columns.js';
import { DatasetDigest } from './digest.js';

type Counted = Pick<
  Dataset,
  | 'id'
  | 'rows'
  | 'signedRows'
  | 'importedRows'
  | 'recordedFrom'
  | 'recordedTo'
  | 'protocols'
  | 'provenanceIds'
> &
  FurtherColumns;

/** Facts about the rows of a data set, counted while they are read. */
export class DatasetSummary {
  private readonly digest = new DatasetDigest();
  private readonly protocols = new Map<string, { name: string; version: number; rows: number }>();
  private readonly provenanceIds = new Set<string>();
  readonly deviceClassIds = new Set<string>();
  /** Counts of rows with a signature. */
  readonly workerIds = new Set<string>();
  private rows = 0;
  private signedRows = 0;
  private importedRows = 0;
  private recordedFrom = '';
  private recordedTo = '';
  private readonly groups = new Set<ColumnGroup>();

  get isEmpty(): boolean {
    return this.rows === 0;
  }

  add(row: DatasetRow, isImported: boolean): void {
    this.digest.add(row);
    if (this.rows === 0) this.recordedFrom = row.recorded_at;
    this.recordedTo = row.recorded_at;
    this.rows += 1;
    if (isImported) this.importedRows += 1;
    for (const group of groupsOf((name) => row[name])) this.groups.add(group);
    if (row.signature !== null) {
      this.signedRows += 1;
      if (row.worker_id !== null) this.workerIds.add(row.worker_id);
    }
    if (row.provenance_id !== null) this.provenanceIds.add(row.provenance_id);
    this.deviceClassIds.add(row.device_class_id);
    const key = protocolKey(row);
    const protocol = this.protocols.get(key) ?? {
      name: row.protocol,
      version: row.protocol_version,
      rows: 0,
    };
    protocol.rows += 1;
    this.protocols.set(key, protocol);
  }

  /** Ends the digest. */
  counted(): Counted {
    const { rows, signedRows, importedRows, recordedFrom, recordedTo } = this;
    return {
      ...{ id: this.digest.id(), rows, signedRows, importedRows, recordedFrom, recordedTo },
      protocols: [...this.protocols.values()],
      provenanceIds: [...this.provenanceIds].sort(),
      ...Object.fromEntries(
        COLUMN_GROUPS.filter((group) => this.groups.has(group)).map((group) => [`${group}Columns`, true]),
      ),
    };
  }
}

/** Distinguishes protocols. */
export function protocolKey({
  protocol,
  protocol_version: version,
}: Pick<DatasetRow, 'protocol' | 'protocol_version'>): string {
  return `${protocol} ${version}`;
}
