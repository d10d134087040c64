import { StoreError } from '@alphaflops/store';

/** Primary result codes, https://sqlite.org/rescode.html. The low byte of an extended code is its primary code. */
const BUSY = 5;
const LOCKED = 6;
const READONLY = 8;
const IOERR = 10;
const CORRUPT = 11;
const FULL = 13;
const CANTOPEN = 14;
const CONSTRAINT = 19;
const NOTADB = 26;
const CONSTRAINT_PRIMARYKEY = 1555;
const CONSTRAINT_UNIQUE = 2067;

/** Converts an error of the SQLite driver to a `StoreError` with a readable message. Returns other errors unchanged. */
export function storeErrorFrom(error: unknown, file: string): unknown {
  if (!isDriverError(error)) return error;
  const storeError = (code: StoreError['code'], text: string) =>
    new StoreError(code, `${file}: ${text} (SQLite: ${error.message})`, { cause: error });
  switch (error.rawCode & 0xff) {
    case FULL:
      return storeError(
        'unavailable',
        'the disk is full. Free some space and try again; nothing was changed',
      );
    case READONLY:
      return storeError(
        'unavailable',
        'the file or its directory cannot be written to. Check their owner and permissions',
      );
    case CANTOPEN:
      return storeError(
        'unavailable',
        'the file cannot be opened. Check that it is a regular file, its owner and its permissions',
      );
    case IOERR:
      return storeError('unavailable', 'reading or writing failed. Check the disk; nothing was changed');
    case BUSY:
    case LOCKED:
      return storeError(
        'unavailable',
        'another program holds a lock on the database. Close that program and try again',
      );
    case CORRUPT:
      return storeError('corrupt', 'the database is damaged. Restore the file from a backup');
    case NOTADB:
      return storeError(
        'corrupt',
        'this is not an SQLite database. Name another file, or restore this one from a backup',
      );
    case CONSTRAINT:
      return error.rawCode === CONSTRAINT_UNIQUE || error.rawCode === CONSTRAINT_PRIMARYKEY
        ? storeError('already-exists', 'an id that must be unique is already in use')
        : error;
    default:
      return error;
  }
}

export function isBusy(error: unknown): boolean {
  return isDriverError(error) && (error.rawCode & 0xff) === BUSY;
}

/**
 * Recognizes an error by its number and not by its class: some errors come directly from the native part of the
 * driver.
 */
function isDriverError(error: unknown): error is { rawCode: number; message: string } {
  return (
    typeof error === 'object' && error !== null && 'rawCode' in error && typeof error.rawCode === 'number'
  );
}
