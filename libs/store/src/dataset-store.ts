import type { Dataset, Page, PageQuery } from '@alphaflops/contracts';
import { StoreError } from './store-error.js';

/** A data set that is about to be sealed. The store assigns the version. */
export type DatasetDraft = Omit<Dataset, 'version'>;

/** The maximum size of a part. It is below the maximum size of a MongoDB document. */
export const MAX_PART_BYTES = 12 * 2 ** 20;

/**
 * Frozen data sets. The rows are stored in parts, whose format the caller defines. A record makes the parts visible.
 * A sealed data set is never changed and never removed.
 */
export abstract class DatasetStore {
  /** Stores a part of a draft, or replaces it. Indexes start at 0. Drafts are not visible to readers. */
  abstract putPart(draftId: string, index: number, bytes: Uint8Array): Promise<void>;

  /**
   * Turns a draft with `parts` parts into a data set, atomically, under the next version of its name (1, 2, …). If a
   * data set with this id already exists, returns that one and removes the draft.
   * @throws StoreError `conflict` when parts are missing
   */
  abstract seal(draftId: string, parts: number, draft: DatasetDraft): Promise<Dataset>;

  /** Removes a draft. Does not remove a sealed data set. */
  abstract discard(draftId: string): Promise<void>;

  /** Removes drafts whose last change is before `before` (ISO 8601). The processes that wrote them have ended. */
  abstract discardBefore(before: string): Promise<void>;

  abstract get(id: string): Promise<Dataset | null>;

  /** Newest first. */
  abstract list(page: PageQuery): Promise<Page<Dataset>>;

  /** The parts of a sealed data set, in order. */
  abstract parts(id: string): AsyncIterable<Uint8Array>;
}

/**
 * For adapters: checks that a draft is complete.
 * @throws StoreError `conflict` when parts of the draft are missing
 */
export function expectAllParts(draftId: string, expected: number, found: number): void {
  if (found === expected) return;
  throw new StoreError(
    'conflict',
    `The draft ${draftId} of a data set has ${found} parts, but ${expected} were written. Create the data set again.`,
  );
}
