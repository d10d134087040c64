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

/** What went wrong in the driver or the server, said for people; what is no error of theirs is passed on. */
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
  // The server's message would tell the value, which may be the digest of a token.
  if (isDuplicateKey(error)) {
    return new StoreError('already-exists', `${shown}: an id that must be unique is taken.`, {
      cause: error,
    });
  }
  if (error instanceof MongoServerError) return fromServer(error, storeErrorOf);
  if (error instanceof MongoNetworkError || error.hasErrorLabel('RetryableWriteError')) {
    return storeErrorOf(
      'unavailable',
      'the connection broke. The same call can be made again: what it stored stays once',
    );
  }
  return storeErrorOf('unavailable', 'the operation failed');
}

/** An insertion into a place that is taken. */
export function isDuplicateKey(error: unknown): boolean {
  return error instanceof MongoServerError && error.code === DUPLICATE_KEY;
}

/** How many places were taken in an unordered insertion; throws the error when anything else was wrong with it. */
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
      'a majority of the servers did not confirm the write in time. Check the replica set; the same call can be ' +
        'made again',
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
        'the server refuses us. Check user, password and authSource in the address',
      );
    case OUT_OF_DISK:
      return storeErrorOf('unavailable', 'the disk of the server is full. Free some space and try again');
    case VALIDATION:
      return storeErrorOf(
        'corrupt',
        'the record does not have the form that the database asks for; nothing was stored',
      );
    case OBJECT_TOO_LARGE:
    case BSON_TOO_LARGE:
      return storeErrorOf(
        'corrupt',
        'a record is larger than the 16 MiB that MongoDB takes; nothing was stored',
      );
    default:
      return storeErrorOf('unavailable', 'the server answers with an error');
  }
}

function isClosed(error: MongoError): boolean {
  return (
    error instanceof MongoClientClosedError ||
    error instanceof MongoNotConnectedError ||
    error instanceof MongoTopologyClosedError
  );
}
