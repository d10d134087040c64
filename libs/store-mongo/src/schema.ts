import { CAMPAIGN_STATES, OUTCOMES } from '@alphaflops/contracts';
import { TOKEN_KINDS } from '@alphaflops/store';
import type { Document, IndexDescription } from 'mongodb';

/** The collection with the version of the others. */
export const SCHEMA = 'schema';

export interface CollectionPlan {
  readonly name: string;
  readonly indexes: readonly (IndexDescription & { readonly name: string })[];
  /** What the database itself asks of a document ($jsonSchema). */
  readonly form: Document;
}

const text = { bsonType: 'string' };
const textOrNull = { bsonType: ['string', 'null'] };
const moment = { bsonType: 'date' };
const count = { bsonType: 'number', minimum: 0 };

function form(properties: Document, optional: readonly string[] = []): Document {
  const required = Object.keys(properties).filter((name) => !optional.includes(name));
  return { bsonType: 'object', required, properties };
}

/** `doc` is the record as JSON: its keys may hold dots and dollars. The fields beside it are copies to find it by. */
const record = { _id: text, doc: text, revision: { bsonType: 'number', minimum: 1 } };

/** One index for each filter, in the order of list and stream, so that no page is sorted. */
function inTimeOrder(name: string, field: string, options: Partial<IndexDescription> = {}) {
  return { name, key: { [field]: 1, recordedOn: 1, id: 1 }, ...options };
}

const samples = form(
  {
    ...Object.fromEntries(
      ['_id', 'id', 'campaignId', 'targetId', 'specKey', 'deviceClassId', 'startedAt', 'recordedAt'].map(
        (name) => [name, text],
      ),
    ),
    ...Object.fromEntries(
      ['deviceId', 'workerId', 'provenanceId', 'reason', 'algorithm'].map((name) => [name, textOrNull]),
    ),
    specIndex: count,
    replicate: count,
    attempt: count,
    batchIndex: count,
    spec: { bsonType: 'object' },
    protocol: { bsonType: 'object' },
    outcome: { enum: OUTCOMES },
    failure: { enum: OUTCOMES.filter((outcome) => outcome !== 'ok') },
    timing: {
      bsonType: ['object', 'null'],
      required: ['timeMs', 'batchTimesMs'],
      properties: {
        timeMs: { bsonType: 'number', minimum: 0, exclusiveMinimum: true },
        batchTimesMs: { bsonType: 'binData' },
      },
    },
    conditions: { bsonType: ['object', 'null'] },
    workspaceBytes: { bsonType: ['number', 'null'] },
    recordedOn: moment,
  },
  ['failure'],
);

const tokens = form({
  ...record,
  hash: text,
  kind: { enum: TOKEN_KINDS },
  workerId: textOrNull,
  createdOn: moment,
});

/**
 * Version n of the database is what the first n lists make. A published list is never edited: add the next one.
 * Everything in it can be done twice, and by two at the same time.
 */
export const VERSIONS: readonly (readonly CollectionPlan[])[] = [
  [
    {
      name: 'campaigns',
      indexes: [
        { name: 'newest', key: { createdOn: -1, _id: -1 } },
        { name: 'by_state', key: { state: 1, createdOn: -1, _id: -1 } },
        { name: 'by_class', key: { deviceClassId: 1, createdOn: -1, _id: -1 } },
      ],
      form: form({ ...record, state: { enum: CAMPAIGN_STATES }, deviceClassId: text, createdOn: moment }),
    },
    // _id is campaign and position: the specs of a campaign lie together, in order.
    { name: 'campaign_specs', indexes: [], form: form({ _id: text, spec: { bsonType: 'object' } }) },
    {
      name: 'samples',
      // _id is the slot, so that the index which every collection has keeps slots unique, also over shards. The index
      // of ids is not unique: on a sharded collection only one that starts with the shard key could be.
      indexes: [
        { name: 'by_id', key: { id: 1 } },
        { name: 'by_time', key: { recordedOn: 1, id: 1 } },
        inTimeOrder('by_campaign', 'campaignId'),
        inTimeOrder('by_class', 'deviceClassId'),
        inTimeOrder('by_device', 'deviceId'),
        inTimeOrder('by_worker', 'workerId'),
        // Failures are few and looked for; nearly every sample is ok, and by_time finds those.
        inTimeOrder('failed', 'failure', { partialFilterExpression: { failure: { $exists: true } } }),
      ],
      form: samples,
    },
    // Both only where recording is a transaction.
    {
      name: 'outcome_counts',
      indexes: [],
      form: form({ _id: text, recorded: { bsonType: 'object' } }),
    },
    {
      name: 'batch_counts',
      indexes: [],
      form: form({ _id: text, campaignId: text, targetId: text, batchIndex: count, recorded: count }),
    },
    { name: 'provenance', indexes: [], form: form({ _id: text, doc: text }) },
    { name: 'workers', indexes: [], form: form(record) },
    {
      name: 'devices',
      indexes: [{ name: 'by_class', key: { deviceClassId: 1, _id: 1 } }],
      form: form({ ...record, deviceClassId: text }),
    },
    { name: 'device_classes', indexes: [], form: form(record) },
    {
      name: 'tokens',
      indexes: [
        { name: 'by_hash', key: { hash: 1 }, unique: true },
        { name: 'by_kind', key: { kind: 1, createdOn: 1, _id: 1 } },
        { name: 'by_worker', key: { workerId: 1 } },
      ],
      form: tokens,
    },
    {
      name: 'idempotency_keys',
      indexes: [{ name: 'oldest', key: { createdOn: 1 } }],
      form: form({ _id: text, createdOn: moment, requestDigest: text, status: count, body: textOrNull }),
    },
    {
      name: 'models',
      indexes: [
        { name: 'newest', key: { createdOn: -1, _id: -1 } },
        { name: 'by_class', key: { deviceClassId: 1, createdOn: -1, _id: -1 } },
        { name: 'by_version', key: { deviceClassId: 1, version: -1 }, unique: true },
        { name: 'by_fit', key: { fit: 1 }, unique: true },
      ],
      form: form({
        ...record,
        deviceClassId: text,
        version: { bsonType: 'number', minimum: 1 },
        fit: text,
        createdOn: moment,
      }),
    },
  ],
  [
    {
      name: 'audit',
      indexes: [{ name: 'newest', key: { createdOn: -1, _id: -1 } }],
      form: form({ ...record, createdOn: moment }),
    },
  ],
  // Samples may be drifted now.
  [{ name: 'samples', indexes: [], form: samples }],
  [
    {
      name: 'datasets',
      indexes: [
        { name: 'newest', key: { createdOn: -1, _id: -1 } },
        { name: 'by_version', key: { name: 1, version: -1 }, unique: true },
        { name: 'by_draft', key: { draftId: 1 } },
      ],
      form: form({
        ...record,
        name: text,
        version: { bsonType: 'number', minimum: 1 },
        draftId: text,
        createdOn: moment,
      }),
    },
    // _id is draft and position.
    {
      name: 'dataset_parts',
      indexes: [{ name: 'by_draft', key: { draftId: 1, writtenOn: 1 } }],
      form: form({
        _id: text,
        draftId: text,
        position: count,
        writtenOn: moment,
        bytes: { bsonType: 'binData' },
      }),
    },
  ],
  [
    {
      name: 'kernel_maps',
      indexes: [{ name: 'newest', key: { createdOn: -1, _id: -1 } }],
      form: form({ ...record, createdOn: moment }),
    },
    // _id is id and digest of the map.
    { name: 'kernel_map_labels', indexes: [], form: form({ _id: text, labels: { bsonType: 'binData' } }) },
  ],
  // Tokens may be sign-in codes now.
  [{ name: 'tokens', indexes: [], form: tokens }],
];
