/**
 * The first n migrations create version n of the file. Never edit a published migration: add a new one.
 *
 * `doc` is the record as JSON, and only `doc` is returned. The other columns are copies for searching. (The driver
 * truncates returned text at a NUL character, but compares the full text.) Times are milliseconds since 1970, so that
 * the order does not depend on the text format of an ISO time. `seq` counts insertions.
 *
 * There are no foreign keys, because the port accepts samples and specs before or without the records that they name.
 */
export const MIGRATIONS: readonly string[] = [
  `
  CREATE TABLE campaigns (
    seq INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    state TEXT NOT NULL,
    device_class_id TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    doc TEXT NOT NULL
  ) STRICT;
  -- Newest first, of all and under each filter; seq, the rowid, is at the end of every index and orders ties.
  CREATE INDEX campaigns_newest ON campaigns (created_at);
  CREATE INDEX campaigns_by_state ON campaigns (state, created_at);
  CREATE INDEX campaigns_by_class ON campaigns (device_class_id, created_at);

  CREATE TABLE campaign_specs (
    campaign_id TEXT NOT NULL,
    position INTEGER NOT NULL,
    doc TEXT NOT NULL,
    PRIMARY KEY (campaign_id, position)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE samples (
    seq INTEGER PRIMARY KEY,
    id TEXT NOT NULL,
    campaign_id TEXT NOT NULL,
    target_id TEXT NOT NULL,
    spec_index INTEGER NOT NULL,
    replicate INTEGER NOT NULL,
    device_id TEXT,
    device_class_id TEXT NOT NULL,
    worker_id TEXT,
    outcome TEXT NOT NULL,
    recorded_at INTEGER NOT NULL,
    doc TEXT NOT NULL,
    -- timing.batchTimesMs as little-endian doubles: half the size of their digits, and no parsing.
    batch_times BLOB
  ) STRICT;
  CREATE UNIQUE INDEX samples_by_id ON samples (id);
  CREATE UNIQUE INDEX samples_by_slot ON samples (campaign_id, target_id, spec_index, replicate);
  -- Each filter has its index in the order of list and stream, so that no page sorts or reads what it skips. Samples
  -- arrive in that order: an insertion touches the end of each, which is why this many cost little. Further filters
  -- are checked row by row.
  CREATE INDEX samples_by_time ON samples (recorded_at, id);
  CREATE INDEX samples_by_campaign ON samples (campaign_id, recorded_at, id);
  CREATE INDEX samples_by_class ON samples (device_class_id, recorded_at, id);
  CREATE INDEX samples_by_device ON samples (device_id, recorded_at, id);
  CREATE INDEX samples_by_worker ON samples (worker_id, recorded_at, id);
  -- Failures are few and looked for; nearly every sample is ok, and samples_by_time finds those.
  CREATE INDEX samples_failed ON samples (outcome, recorded_at, id) WHERE outcome <> 'ok';

  CREATE TABLE outcome_counts (
    campaign_id TEXT NOT NULL,
    outcome TEXT NOT NULL,
    recorded INTEGER NOT NULL,
    PRIMARY KEY (campaign_id, outcome)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE batch_counts (
    campaign_id TEXT NOT NULL,
    target_id TEXT NOT NULL,
    batch_index INTEGER NOT NULL,
    recorded INTEGER NOT NULL,
    PRIMARY KEY (campaign_id, target_id, batch_index)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE provenance (id TEXT PRIMARY KEY, doc TEXT NOT NULL) STRICT, WITHOUT ROWID;

  CREATE TABLE workers (id TEXT PRIMARY KEY, doc TEXT NOT NULL) STRICT, WITHOUT ROWID;
  CREATE TABLE devices (id TEXT PRIMARY KEY, device_class_id TEXT NOT NULL, doc TEXT NOT NULL) STRICT, WITHOUT ROWID;
  CREATE INDEX devices_by_class ON devices (device_class_id, id);
  CREATE TABLE device_classes (id TEXT PRIMARY KEY, doc TEXT NOT NULL) STRICT, WITHOUT ROWID;

  CREATE TABLE tokens (
    seq INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL,
    hash TEXT NOT NULL UNIQUE,
    worker_id TEXT,
    doc TEXT NOT NULL
  ) STRICT;
  CREATE INDEX tokens_by_kind ON tokens (kind);
  CREATE INDEX tokens_by_worker ON tokens (worker_id) WHERE worker_id IS NOT NULL;

  CREATE TABLE idempotency_keys (
    key TEXT PRIMARY KEY,
    created_at INTEGER NOT NULL,
    doc TEXT NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX idempotency_keys_oldest ON idempotency_keys (created_at);

  CREATE TABLE models (
    seq INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    device_class_id TEXT NOT NULL,
    version INTEGER NOT NULL,
    campaign_id TEXT,
    data_digest TEXT NOT NULL,
    form TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    doc TEXT NOT NULL,
    UNIQUE (device_class_id, version)
  ) STRICT;
  CREATE UNIQUE INDEX models_by_fit ON models (campaign_id, data_digest, form) WHERE campaign_id IS NOT NULL;
  CREATE INDEX models_newest ON models (created_at);
  CREATE INDEX models_by_class ON models (device_class_id, created_at);

  -- One row that a ping writes.
  CREATE TABLE ping (id INTEGER PRIMARY KEY CHECK (id = 1), at INTEGER NOT NULL) STRICT;
  `,
  `
  CREATE TABLE audit (
    seq INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    created_at INTEGER NOT NULL,
    doc TEXT NOT NULL
  ) STRICT;
  CREATE INDEX audit_newest ON audit (created_at);
  `,
  `
  ALTER TABLE models ADD COLUMN status TEXT NOT NULL DEFAULT 'published';
  CREATE INDEX models_served ON models (device_class_id, version) WHERE status = 'published';
  `,
  `
  -- Samples that gave way to others of their slot: 1 for the first. 0: the one that counts.
  ALTER TABLE samples ADD COLUMN set_aside INTEGER NOT NULL DEFAULT 0;
  DROP INDEX samples_by_slot;
  CREATE UNIQUE INDEX samples_by_slot ON samples (campaign_id, target_id, spec_index, replicate, set_aside);
  `,
  `
  CREATE TABLE datasets (
    seq INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    draft_id TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    version INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    doc TEXT NOT NULL,
    UNIQUE (name, version)
  ) STRICT;
  CREATE INDEX datasets_newest ON datasets (created_at);
  -- Rows of data sets, and of drafts that nobody sees before their record is in the table above.
  CREATE TABLE dataset_parts (
    seq INTEGER PRIMARY KEY,
    draft_id TEXT NOT NULL,
    position INTEGER NOT NULL,
    written_at INTEGER NOT NULL,
    bytes BLOB NOT NULL,
    UNIQUE (draft_id, position)
  ) STRICT;
  `,
  `
  -- The campaign, or the id of a fit without one.
  ALTER TABLE models RENAME COLUMN campaign_id TO asked_by;
  `,
  `
  -- Specs are written and read by neighbours: up to 100 of them, from position on, in one JSON array.
  CREATE TABLE spec_pages (
    seq INTEGER PRIMARY KEY,
    campaign_id TEXT NOT NULL,
    position INTEGER NOT NULL,
    doc TEXT NOT NULL,
    UNIQUE (campaign_id, position)
  ) STRICT;
  INSERT INTO spec_pages (campaign_id, position, doc)
    SELECT campaign_id, min(position), json_group_array(json(doc) ORDER BY position)
    FROM (
      SELECT *, position - row_number() OVER (PARTITION BY campaign_id ORDER BY position) AS gapless
      FROM campaign_specs
    )
    GROUP BY campaign_id, gapless, position / 100;
  DROP TABLE campaign_specs;
  `,
  `
  CREATE TABLE kernel_maps (
    seq INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    created_at INTEGER NOT NULL,
    doc TEXT NOT NULL,
    labels BLOB NOT NULL
  ) STRICT;
  CREATE INDEX kernel_maps_newest ON kernel_maps (created_at);
  `,
];
