import { randomInt } from 'node:crypto';
import { OUTCOMES, type Outcome, type OutcomeCounts, type Sample } from '@alphaflops/contracts';
import type { BatchCount } from '@alphaflops/store';
import type { AnyBulkWriteOperation, ClientSession, Document } from 'mongodb';
import { MAX_TIME_MS } from './address.js';
import type { Connection } from './connection.js';
import { documentsAfterId } from './pages.js';
import type { SampleDocument } from './sample-document.js';

/** Counts the samples of each campaign and batch. */
export interface Counters {
  /** Counts added samples (by 1) or removed samples (by −1), in the transaction that stores or removes them. */
  add(samples: readonly Sample[], session: ClientSession | undefined, by?: 1 | -1): Promise<void>;
  counts(campaignId: string): Promise<OutcomeCounts>;
  batchCounts(campaignId: string): AsyncIterable<BatchCount>;
}

interface OutcomeCountDocument extends Document {
  _id: string;
  recorded: Partial<Record<Outcome, number>>;
}

interface BatchCountDocument extends Document {
  _id: string;
  campaignId: string;
  targetId: string;
  batchIndex: number;
  recorded: number;
}

/**
 * The number of count documents per campaign. Each recording picks one of them at random, so that coordinators that
 * record for the same campaign rarely wait for each other.
 */
const STRIPES = 16;
const BATCH_COUNT_PAGE = 1000;
/** Batch indexes are padded to this width, so that their text order is their numeric order. */
const INDEX_DIGITS = 10;

/**
 * Counters that change in the transaction that stores the samples. They are exact, and reading them takes constant
 * time.
 */
export class KeptCounters implements Counters {
  private readonly outcomes;
  private readonly batches;

  constructor(connection: Connection) {
    this.outcomes = connection.collection<OutcomeCountDocument>('outcome_counts');
    this.batches = connection.collection<BatchCountDocument>('batch_counts');
  }

  async add(samples: readonly Sample[], session: ClientSession | undefined, by: 1 | -1 = 1): Promise<void> {
    const stripe = randomInt(STRIPES);
    const outcomes = new Map<string, Record<string, number>>();
    const batches = new Map<string, Omit<BatchCountDocument, '_id'> & BatchCount>();
    for (const { campaignId, targetId, batchIndex, outcome, setAside } of samples) {
      const increments = outcomes.get(stripeId(campaignId, stripe)) ?? {};
      increments[`recorded.${outcome}`] = (increments[`recorded.${outcome}`] ?? 0) + by;
      outcomes.set(stripeId(campaignId, stripe), increments);
      if (setAside !== undefined) continue;
      const id = `${campaignId}/${targetId}/${String(batchIndex).padStart(INDEX_DIGITS, '0')}`;
      const recorded = (batches.get(id)?.recorded ?? 0) + by;
      batches.set(id, { campaignId, targetId, batchIndex, recorded });
    }
    if (outcomes.size === 0) return;
    const options = { ordered: false, ...(session && { session }) };
    if (batches.size > 0)
      await this.batches.bulkWrite(
        [...batches].map(([_id, { recorded, ...batch }]): AnyBulkWriteOperation<BatchCountDocument> => {
          const update = { $inc: { recorded }, $setOnInsert: batch };
          return { updateOne: { filter: { _id }, update, upsert: true } };
        }),
        options,
      );
    // This write comes last, because it is the only one for which other processes may wait.
    await this.outcomes.bulkWrite(
      [...outcomes].map(([_id, $inc]): AnyBulkWriteOperation<OutcomeCountDocument> => {
        return { updateOne: { filter: { _id }, update: { $inc }, upsert: true } };
      }),
      options,
    );
  }

  async counts(campaignId: string): Promise<OutcomeCounts> {
    const ids = Array.from({ length: STRIPES }, (_, stripe) => stripeId(campaignId, stripe));
    const found = await this.outcomes.find({ _id: { $in: ids } }, { maxTimeMS: MAX_TIME_MS }).toArray();
    return outcomeCounts((outcome) => found.reduce((sum, { recorded }) => sum + (recorded[outcome] ?? 0), 0));
  }

  async *batchCounts(campaignId: string): AsyncIterable<BatchCount> {
    // The character “0” follows “/” in the character set.
    const end = `${campaignId}0`;
    let after = `${campaignId}/`;
    for (;;) {
      const equal = { campaignId: { $eq: campaignId } };
      const page = await documentsAfterId(this.batches, equal, after, BATCH_COUNT_PAGE, end);
      for (const { targetId, batchIndex, recorded } of page) {
        if (recorded > 0) yield { targetId, batchIndex, recorded };
      }
      const last = page.at(-1);
      if (last === undefined || page.length < BATCH_COUNT_PAGE) return;
      after = last._id;
    }
  }
}

/**
 * Counters for servers without transactions. Without transactions, stored counters could differ from the samples.
 * Each call therefore counts the samples, with the index `by_batch` alone. The counts are exact after any crash, but
 * the cost grows with the size of the campaign.
 */
export class CountedSamples implements Counters {
  private readonly samples;

  constructor(connection: Connection) {
    this.samples = connection.collection<SampleDocument>('samples');
  }

  add(): Promise<void> {
    return Promise.resolve();
  }

  async counts(campaignId: string): Promise<OutcomeCounts> {
    const recorded = new Map<unknown, number>();
    for await (const group of this.group({ campaignId }, '$outcome')) recorded.set(group._id, group.recorded);
    return outcomeCounts((outcome) => recorded.get(outcome) ?? 0);
  }

  async *batchCounts(campaignId: string): AsyncIterable<BatchCount> {
    const key = { targetId: '$targetId', batchIndex: '$batchIndex' };
    const inSlots = { campaignId, outcome: { $ne: 'drifted' as const } };
    for await (const { _id, recorded } of this.group(inSlots, key)) {
      yield { ...(_id as Omit<BatchCount, 'recorded'>), recorded };
    }
  }

  private group({ campaignId, ...others }: { campaignId: string; outcome?: Document }, key: unknown) {
    return this.samples.aggregate<{ _id: unknown; recorded: number }>(
      [
        { $match: { campaignId: { $eq: campaignId }, ...others } },
        { $group: { _id: key, recorded: { $sum: 1 } } },
      ],
      { hint: BY_BATCH.name, maxTimeMS: MAX_TIME_MS },
    );
  }
}

const BY_BATCH = {
  name: 'by_batch',
  key: { campaignId: 1, targetId: 1, batchIndex: 1, outcome: 1 },
} as const;

interface CountingDocument {
  _id: 'counting';
  kept: boolean;
}

/** Returns the counters that the deployment supports. They agree with its samples. */
export async function countersOn(connection: Connection): Promise<Counters> {
  const counting = connection.collection<CountingDocument>('schema');
  if (!connection.abilities.transactions) {
    await connection.collection('samples').createIndexes([BY_BATCH]);
    await counting.updateOne({ _id: 'counting' }, { $set: { kept: false } }, { upsert: true });
    return new CountedSamples(connection);
  }
  const kept = new KeptCounters(connection);
  const found = await counting.findOne({ _id: 'counting' });
  if (found?.kept !== true) await rebuild(connection, kept);
  return kept;
}

/**
 * Counts once the samples that were stored without transactions. It uses one transaction: samples that other
 * processes record in the meantime are either in its snapshot, or those processes count them.
 */
async function rebuild(connection: Connection, kept: KeptCounters): Promise<void> {
  const samples = connection.collection<SampleDocument>('samples');
  await connection.atomically(async (session) => {
    const options = session && { session };
    for (const name of ['outcome_counts', 'batch_counts']) {
      await connection.collection(name).deleteMany({}, options);
    }
    const fields = { campaignId: 1, targetId: 1, batchIndex: 1, outcome: 1, setAside: 1 } as const;
    let part: Sample[] = [];
    for await (const sample of samples.find({}, { ...options, projection: fields })) {
      if (part.push(sample as unknown as Sample) < REBUILD_PART) continue;
      await kept.add(part, session);
      part = [];
    }
    await kept.add(part, session);
    await connection
      .collection<CountingDocument>('schema')
      .updateOne({ _id: 'counting' }, { $set: { kept: true } }, { upsert: true, ...options });
  });
  if (await samples.indexExists(BY_BATCH.name)) await samples.dropIndex(BY_BATCH.name);
}

const REBUILD_PART = 10_000;

function stripeId(campaignId: string, stripe: number): string {
  return `${campaignId}/${stripe}`;
}

function outcomeCounts(recorded: (outcome: Outcome) => number): OutcomeCounts {
  return Object.fromEntries(
    OUTCOMES.map((outcome) => [outcome, recorded(outcome)]),
  ) as unknown as OutcomeCounts;
}
