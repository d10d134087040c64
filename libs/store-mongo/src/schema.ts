import { CAMPAIGN_STATES, OUTCOMES } from '@alphaflops/contracts';
import { TOKEN_KINDS } from '@alphaflops/store';
import type { Document, IndexDescription } from 'mongodb';

/** The collection that holds the version of the other collections. */
export const SCHEMA = 'schema';

export interface CollectionPlan {
  readonly name: string;
  readonly indexes: readonly (IndexDescription & { readonly name: string })[];
  /** The form that the database requires of a document ($jsonSchema). */
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

/**
 * `doc` is the record as JSON, because its keys may contain dots and dollar signs. The other fields are copies for
 * searching.
 */
const record = { _id: text, doc: text, revision: { bsonType: 'number', minimum: 1 } };

/** Returns an index for one filter, in the order of list and stream, so that the server sorts no page. */
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
 * The first n lists create version n of the database. Never edit a published list: add a new one. Every step can be
 * repeated, and two processes can run it at the same time.
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
    // _id contains campaign and position: the specs of a campaign are adjacent, in order.
    { name: 'campaign_specs', indexes: [], form: form({ _id: text, spec: { bsonType: 'object' } }) },
    {
      name: 'samples',
      // _id is the slot. The index of _id, which every collection has, keeps slots unique, also across shards. The
      // index of ids is not unique: on a sharded collection, only an index that starts with the shard key can be
      // unique.
      indexes: [
        { name: 'by_id', key: { id: 1 } },
        { name: 'by_time', key: { recordedOn: 1, id: 1 } },
        inTimeOrder('by_campaign', 'campaignId'),
        inTimeOrder('by_class', 'deviceClassId'),
        inTimeOrder('by_device', 'deviceId'),
        inTimeOrder('by_worker', 'workerId'),
        // Failures are few, and users search for them. Nearly all samples are ok; by_time serves a search for those.
        inTimeOrder('failed', 'failure', { partialFilterExpression: { failure: { $exists: true } } }),
      ],
      form: samples,
    },
    // Both collections are used only if the server has transactions.
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
  // From this version on, samples can have the outcome drifted.
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
    // _id contains draft and position.
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
    // _id contains the id and the digest of the map.
    { name: 'kernel_map_labels', indexes: [], form: form({ _id: text, labels: { bsonType: 'binData' } }) },
  ],
  // From this version on, tokens can be sign-in codes.
  [{ name: 'tokens', indexes: [], form: tokens }],
];
