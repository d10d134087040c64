import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Lease, LeaseRef, Measurement } from '@alphaflops/contracts';
import { type ConvSpec, specKey } from '@alphaflops/conv';
import { writeSpecs } from '@alphaflops/dataset';
import { JobQueue, QueueConnection } from '@alphaflops/queue';
import {
  fieldsOfMeasurement,
  provenanceId,
  sealResult,
  type SealedResult,
  signSample,
} from '@alphaflops/provenance';
import { openSqliteStores } from '@alphaflops/store-sqlite';
import Database from 'libsql';
import type { Origin } from '@alphaflops/worker/parts';
import { Stack, until } from '../../test/support/stack.js';
import type { Benchmark, Row, Scale } from './benchmark.js';
import { seconds } from './figures.js';
import { measurementsOf, smallSpecs } from './measurements.js';
import { cpuSeconds, residentMb } from './processes.js';
import { enrolWorkers, type SimulatedWorker } from './simulated-worker.js';

const WORKERS = 8;
const REPLICATES = 100;
/** ConvSpecs per batch: about ten seconds on a GPU. */
const BATCH = 500;
const COLUMNS =
  'id, campaign_id, target_id, spec_index, replicate, device_id, device_class_id, worker_id, outcome, recorded_at, doc, batch_times, set_aside';

/** Open requests per worker: it sends one result while the previous one is stored. */
const AT_ONCE = 2;

/**
 * Eight workers take batches and sign results for them, in parts. For each part, the benchmark measures the time
 * until the coordinator has stored all results. Then it inserts the same rows into a file with the same schema.
 */
export const recording: Benchmark = {
  what: 'recording a million samples (SQLite) against bare bulk inserts, and memory meanwhile',
  run: async (scale) => {
    // Each batch has one replicate, so every part has this number of batches.
    const [specs, parts] = scale === 'full' ? [10_000, 10] : [BATCH, 2];
    const stack = await Stack.start({
      ROLES: 'api,record',
      ALPHAFLOPS_BATCH_SPECS: String(BATCH),
      ALPHAFLOPS_REQUESTS_PER_MINUTE: '100000',
    });
    try {
      return await new Recording(stack, smallSpecs(specs), scale).rows(parts);
    } finally {
      await stack.stop();
    }
  },
};

/** The results that one worker sends. */
interface Part {
  readonly worker: SimulatedWorker;
  readonly results: { readonly lease: LeaseRef; readonly sealed: SealedResult }[];
  readonly renewing: NodeJS.Timeout;
}

const RENEW_EVERY_MS = 2_500;

class Recording {
  private readonly storeFile: string;
  private readonly bareFile: string;
  private measurements = new Map<string, Measurement>();

  constructor(
    private readonly stack: Stack,
    private readonly specs: readonly ConvSpec[],
    private readonly scale: Scale,
  ) {
    this.storeFile = join(stack.directory, 'data', 'alphaflops.sqlite');
    this.bareFile = join(stack.directory, 'bare.sqlite');
  }

  async rows(parts: number): Promise<Row[]> {
    const { stack, specs } = this;
    this.measurements = await measurementsOf(specs);
    const workers = await enrolWorkers(stack, WORKERS);
    const targetId = workers[0]?.targetIds[0] ?? '';
    await (await openSqliteStores(this.bareFile)).close();
    const bare = openAs(this.bareFile);
    const connection = new QueueConnection(stack.redis.address);
    const queue = new JobQueue('measure', connection, { targetId });
    const pid = stack.coordinatorPid;

    const perPart = (specs.length * REPLICATES) / BATCH / parts;
    const figures = { ours: [] as number[], theirs: [] as number[] };
    const memory: number[] = [];
    let cpuS = 0;
    try {
      await this.createCampaign(targetId);
      await until(
        () => queue.counts(),
        ({ waiting }) => waiting === perPart * parts,
      );
      // The memory after 10,000 samples is the reference.
      const first = 10_000 / BATCH;
      let done = 0;
      for (const batches of this.scale === 'full'
        ? [first, ...divided(perPart * parts - first, parts)]
        : divided(perPart * parts, parts)) {
        const results = await this.measure(workers, batches);
        cpuS -= cpuSeconds(pid);
        const ours = await seconds(() => Promise.all(results.map(bringAll)));
        cpuS += cpuSeconds(pid);
        const rows = this.rowsFrom(done * BATCH, batches * BATCH);
        const theirs = insert(bare, rows);
        memory.push(residentMb(pid));
        done += batches;
        if (done > first) {
          figures.ours.push(ours);
          figures.theirs.push(theirs);
        }
      }
    } finally {
      bare.close();
      await queue.close();
      connection.close();
      await rm(this.bareFile);
    }
    const count = (specs.length * REPLICATES).toLocaleString('en');
    const part = (perPart * BATCH).toLocaleString('en');
    const cpuMs = ((cpuS * 1000) / (specs.length * REPLICATES)).toFixed(3);
    const note =
      `results of ${WORKERS} workers with the fake executor, signed; batches of ${BATCH}; the times are those of a part of about ${part}, ` +
      `with the workers at rest. The coordinator took ${cpuMs} ms of processor time for a sample.`;
    return [
      {
        what: `recording ${count} samples (SQLite)`,
        comparedWith: 'bare bulk inserts of the same rows',
        unit: 's',
        ...figures,
        judge: 'ratio',
        must: 3,
        goal: 1.5,
        note,
      },
      {
        what: `memory of the coordinator while recording ${count} samples`,
        comparedWith: 'at 10,000',
        unit: 'MB',
        ours: [Math.max(...memory.slice(1))],
        theirs: memory.slice(0, 1),
        judge: 'difference',
        must: 100,
        goal: 0,
        note: 'resident; the largest of what is found after each part.',
      },
    ];
  }

  private async createCampaign(deviceClassId: string): Promise<void> {
    let csv = '';
    for await (const piece of writeSpecs(this.specs)) csv += piece;
    await this.stack.api.POST('/v1/campaigns', {
      body: {
        name: 'bench',
        design: { name: 'csv', csv },
        target: { kind: 'device-class', deviceClassId },
        budget: { specs: this.specs.length },
        repeats: 0,
        protocol: 'gpu',
        replicates: REPLICATES,
      },
    });
  }

  /** Returns the results of `count` batches, distributed over the workers. Renews the leases in the meantime. */
  private async measure(workers: readonly SimulatedWorker[], count: number): Promise<Part[]> {
    const shares = divided(count, workers.length);
    return await Promise.all(
      workers.map(async (worker, i) => {
        const { id, client, targetIds } = worker;
        const results: Part['results'] = [];
        const renewing = setInterval(() => {
          const leases = results.map(({ lease }) => lease);
          if (leases.length > 0) client.renew(id, leases).catch(() => undefined);
        }, RENEW_EVERY_MS);
        while (results.length < (shares[i] ?? 0)) {
          const request = { jobs: ['measure' as const], targetIds: [...targetIds] };
          // No other method is called.
          const lease = (await client.take(
            id,
            request,
            new AbortController().signal,
          )) as Lease<'measure'> | null;
          if (lease === null) continue;
          const { job, targetId, id: jobId, token, attempt } = lease;
          const ref = { job, targetId, id: jobId, token, attempt };
          results.push({ lease: ref, sealed: await this.answer(lease, worker.origin) });
        }
        return { worker, results, renewing };
      }),
    );
  }

  /** Returns the answer of a worker without the time of a measurement. */
  private answer(
    { payload: job, attempt }: Lease<'measure'>,
    { signingKey, ...origin }: Origin,
  ): Promise<SealedResult> {
    const { campaignId, targetId, batchIndex, protocol } = job;
    const { workerId, deviceId, provenance } = origin;
    const startedAt = new Date().toISOString();
    const common = {
      ...{ campaignId, targetId, batchIndex, attempt, workerId, deviceId, startedAt },
      protocol: { name: protocol.name, version: protocol.version },
      provenanceId: provenanceId(provenance),
    };
    const results = job.slots.map(({ specIndex, replicate, spec }) => {
      const key = specKey(spec);
      const measurement = this.measurements.get(key) as Measurement;
      const slot = { specIndex, replicate };
      const fields = { ...common, ...slot, specKey: key, ...fieldsOfMeasurement(measurement) };
      return { ...slot, startedAt, measurement, signature: signSample(fields, signingKey) };
    });
    return sealResult(job, { ...origin, attempt, results }, signingKey);
  }

  private rowsFrom(after: number, count: number): unknown[][] {
    const store = openAs(this.storeFile);
    const rows = store
      .prepare(`SELECT ${COLUMNS} FROM samples WHERE seq > ? ORDER BY seq LIMIT ?`)
      .raw()
      .all([after, count]) as unknown[][];
    store.close();
    if (rows.length !== count) throw new Error(`${rows.length} rows are stored, not ${count}`);
    return rows;
  }
}

/** Resolves when all results of one worker are stored. */
async function bringAll({ worker: { id, client }, results, renewing }: Part): Promise<void> {
  const left = results.values();
  const lane = async (): Promise<void> => {
    for (const { lease, sealed } of left) {
      await client.bring(id, lease, { result: sealed.seal, body: sealed.body });
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, lane));
  clearInterval(renewing);
}

/** Opens a file with the settings of the product. */
function openAs(file: string): Database.Database {
  const database = new Database(file);
  database.exec('PRAGMA synchronous = FULL; PRAGMA cache_size = -32768; PRAGMA wal_autocheckpoint = 4000');
  return database;
}

/** Inserts rows with one transaction per batch, like recording. Returns the time in seconds. */
function insert(database: Database.Database, rows: readonly unknown[][]): number {
  const statement = database.prepare(
    `INSERT INTO samples (${COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  );
  const beganMs = performance.now();
  for (let at = 0; at < rows.length; at += BATCH) {
    database.exec('BEGIN IMMEDIATE');
    for (const row of rows.slice(at, at + BATCH)) statement.run(row);
    database.exec('COMMIT');
  }
  return (performance.now() - beganMs) / 1000;
}

function divided(total: number, parts: number): number[] {
  return Array.from(
    { length: parts },
    (_, i) => Math.floor(((i + 1) * total) / parts) - Math.floor((i * total) / parts),
  );
}
