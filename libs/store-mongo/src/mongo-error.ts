import { StoreError } from '@alphaflops/store';
import {
  MongoBulkWriteError,
  MongoClientClosedError,
  MongoError,
  MongoNetworkError,
  MongoNotConnectedError,
  MongoServerError,
  MongoServerSelectionError,
  MongoTopologyClosedError,
  MongoWriteConcernError,
} from 'mongodb';

/** https://www.mongodb.com/docs/manual/reference/error-codes/ */
const DUPLICATE_KEY = 11_000;
const VALIDATION = 121;
const UNAUTHORIZED = 13;
const AUTHENTICATION_FAILED = 18;
const OUT_OF_DISK = 14_031;
const OBJECT_TOO_LARGE = 10_334;
const BSON_TOO_LARGE = 17_419;
const TIMED_OUT: readonly unknown[] = [50, 262, 290];

/**
 * Converts an error of the driver or the server to a `StoreError` with a readable message. Returns other errors
 * unchanged.
 */
export function storeErrorFrom(error: unknown, shown: string): unknown {
  if (!(error instanceof MongoError)) return error;
  const storeErrorOf = (code: StoreError['code'], text: string) =>
    new StoreError(code, `${shown}: ${text} (MongoDB: ${error.message})`, { cause: error });
  if (isClosed(error)) return storeErrorOf('unavailable', 'the store is closed. Open it again first');
  if (error instanceof MongoServerSelectionError) {
    return storeErrorOf(
      'unavailable',
      'no server that takes writes could be reached in time. Check that MongoDB runs, its address and the network',
    );
  }
  // The message of the server would reveal the value, which may be the digest of a token.
  if (isDuplicateKey(error)) {
    return new StoreError('already-exists', `${shown}: an id that must be unique is already in use.`, {
      cause: error,
    });
  }
  if (error instanceof MongoServerError) return fromServer(error, storeErrorOf);
  if (error instanceof MongoNetworkError || error.hasErrorLabel('RetryableWriteError')) {
    return storeErrorOf(
      'unavailable',
      'the connection broke. Repeat the call; a repeated call stores nothing twice',
    );
  }
  return storeErrorOf('unavailable', 'the operation failed');
}

/** Whether the error is an insertion with an id that is already in use. */
export function isDuplicateKey(error: unknown): boolean {
  return error instanceof MongoServerError && error.code === DUPLICATE_KEY;
}

/** Returns how many ids of an unordered insertion were already in use. Throws the error if it has any other cause. */
export function duplicatesIn(error: unknown): Set<number> {
  if (!(error instanceof MongoBulkWriteError)) throw error;
  const failed = [error.writeErrors].flat();
  const isHarmless = failed.length > 0 && failed.every((one) => one.code === DUPLICATE_KEY);
  if (!isHarmless || error.result.getWriteConcernError() !== undefined) throw error;
  return new Set(failed.map((one) => one.index));
}

function fromServer(
  error: MongoServerError,
  storeErrorOf: (code: StoreError['code'], text: string) => StoreError,
): unknown {
  if (error instanceof MongoWriteConcernError) {
    return storeErrorOf(
      'unavailable',
      'a majority of the servers did not confirm the write in time. Check the replica set, then repeat the call',
    );
  }
  if (TIMED_OUT.includes(error.code)) {
    return storeErrorOf('unavailable', 'the server did not finish in time. It may be overloaded; try again');
  }
  switch (error.code) {
    case UNAUTHORIZED:
    case AUTHENTICATION_FAILED:
      return storeErrorOf(
        'unavailable',
        'the server refuses the login. Check user, password and authSource in the address',
      );
    case OUT_OF_DISK:
      return storeErrorOf('unavailable', 'the disk of the server is full. Free some space and try again');
    case VALIDATION:
      return storeErrorOf(
        'corrupt',
        'the record does not have the form that the database requires; nothing was stored',
      );
    case OBJECT_TOO_LARGE:
    case BSON_TOO_LARGE:
      return storeErrorOf(
        'corrupt',
        'a record is larger than the 16 MiB that MongoDB accepts; nothing was stored',
      );
    default:
      return storeErrorOf('unavailable', 'the server returned an error');
  }
}

function isClosed(error: MongoError): boolean {
  return (
    error instanceof MongoClientClosedError ||
    error instanceof MongoNotConnectedError ||
    error instanceof MongoTopologyClosedError
  );
}
