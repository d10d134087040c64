import type { Dataset, Page, PageQuery } from '@alphaflops/contracts';
import { StoreError } from './store-error.js';

/** A data set that is about to be sealed: the store gives the version. */
export type DatasetDraft = Omit<Dataset, 'version'>;

/** A part's bytes: below what a document of MongoDB can hold. */
export const MAX_PART_BYTES = 12 * 2 ** 20;

/**
 * Frozen data sets: their rows in parts, whose meaning is the caller's, and a record that makes them visible. Never
 * changed, never removed.
 */
export abstract class DatasetStore {
  /** Keeps a part of a draft, numbered from 0; written again, it replaces the one before. Nobody sees it yet. */
  abstract putPart(draftId: string, index: number, bytes: Uint8Array): Promise<void>;

  /**
   * Makes the draft with its `parts` parts the data set, atomically, under the next version of its name (1, 2, …). When
   * one with this id is there already, that one is returned, and the draft is gone. Throws `StoreError('conflict')` when
   * parts are missing.
   */
  abstract seal(draftId: string, parts: number, draft: DatasetDraft): Promise<Dataset>;

  /** Removes a draft; a sealed data set stays. */
  abstract discard(draftId: string): Promise<void>;

  /** Removes drafts without a change since `before` (ISO 8601): the processes that made them have ended. */
  abstract discardBefore(before: string): Promise<void>;

  abstract get(id: string): Promise<Dataset | null>;

  /** Newest first. */
  abstract list(page: PageQuery): Promise<Page<Dataset>>;

  /** The parts of a sealed data set, in order. */
  abstract parts(id: string): AsyncIterable<Uint8Array>;
}

/** For adapters. @throws StoreError `conflict` when a draft has not all its parts */
export function expectAllParts(draftId: string, expected: number, found: number): void {
  if (found === expected) return;
  throw new StoreError(
    'conflict',
    `The draft ${draftId} of a data set has ${found} parts where ${expected} were written. Make the data set again.`,
  );
}
