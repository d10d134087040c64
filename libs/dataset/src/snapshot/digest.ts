import { createHash } from 'node:crypto';
import { type ColumnGroup, columnsOfGroup, type DatasetRow } from '@alphaflops/contracts';
import { COLUMNS } from './columns.js';

/** What a data set's id names. A signature says who measured, not what: it may be left behind. */
const CONTENT = COLUMNS.map(({ name }) => name).filter((name) => name !== 'signature');
const OPTIONAL = columnsOfGroup('optional');
/** Of columns that came later: those of the kernel, of the energy meter, and of the conditions. */
const LATER = (['kernel', 'energy', 'condition'] as const).flatMap((group) =>
  columnsOfGroup<ColumnGroup>(group),
);

/** Begins the text, so that the id of a data set is never the digest of something else. */
const CONTEXT = 'alphaflops.dataset/1';

/**
 * The id of a data set: SHA-256, in hex, of `alphaflops.dataset/1`, a line feed, and each row as a JSON array of its
 * values in the order of the columns, signature left out, with a line feed. A row with a value in an optional column has
 * the values of these after all others; one that has any of the columns that came later ends with an
 * object of those that are not null, in this order. It depends on the order of the rows, which
 * is by time of recording, then by sample id, and on no file format.
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
