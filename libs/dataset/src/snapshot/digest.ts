import { createHash } from 'node:crypto';
import { type ColumnGroup, columnsOfGroup, type DatasetRow } from '@alphaflops/contracts';
import { COLUMNS } from './columns.js';

/**
 * The columns that determine a data set's id. A signature describes who measured, not what, so it is not one of them.
 */
const CONTENT = COLUMNS.map(({ name }) => name).filter((name) => name !== 'signature');
const OPTIONAL = columnsOfGroup('optional');
/** Columns that were added later: those of the kernel, of the energy meter, and of the conditions. */
const LATER = (['kernel', 'energy', 'condition'] as const).flatMap((group) =>
  columnsOfGroup<ColumnGroup>(group),
);

/** Begins the text, so that the id of a data set is never the digest of something else. */
const CONTEXT = 'alphaflops.dataset/1';

/**
 * The id of a data set: SHA-256, in hex, of `alphaflops.dataset/1`, a line feed, and each row as a JSON array of its
 * values in the order of the columns, signature left out, with a line feed. If a row has a value in an optional column,
 * the values of all optional columns follow the others. If it has a value in a column that was added later, it ends
 * with an object of the values of such columns that are not null, in this order. The id depends on the order of the
 * rows (by time of recording, then by sample id), but not on the file format.
 */
export class DatasetDigest {
  private readonly hash = createHash('sha256').update(`${CONTEXT}\n`);

  add(row: DatasetRow): void {
    const hasOptional = OPTIONAL.some((name) => (row[name] ?? null) !== null);
    const names = hasOptional ? [...CONTENT, ...OPTIONAL] : CONTENT;
    const values: unknown[] = names.map((name) => row[name]);
    const known = LATER.filter((name) => (row[name] ?? null) !== null);
    if (known.length > 0) values.push(Object.fromEntries(known.map((name) => [name, row[name]])));
    this.hash.update(`${JSON.stringify(values)}\n`);
  }

  /** Ends the digest. */
  id(): string {
    return this.hash.digest('hex');
  }
}
