import { createHash } from 'node:crypto';
import { join, relative } from 'node:path';
import { type Dataset, type DatasetRow, kernelMapId, type Model } from '@alphaflops/contracts';
import {
  DatasetDigest,
  DatasetError,
  FitInputFinder,
  type FitRow,
  type LabelledSpec,
  type NumberedRow,
  readKernelLabels,
  sampleOfRow,
} from '@alphaflops/dataset';
import { fitModel, ModelError, parseModel } from '@alphaflops/models';
import { isSignedBy, provenanceId } from '@alphaflops/provenance';
import { CliError } from '../error.js';
import { readText } from '../files.js';
import { checkSums } from './checksums.js';
import { Findings } from './finding.js';
import { readDocument, readProvenance, readRecord, rowFileIn } from './source.js';

export interface VerifyOptions {
  /** Trusted public keys by worker. If absent, the keys of the directory itself. */
  readonly keys?: ReadonlyMap<string, string>;
  /** Fit the models of the data set again. */
  readonly refit: boolean;
  readonly onProgress: (rows: number) => void;
}

export interface Verification {
  readonly id: string;
  readonly rows: number;
  readonly signedRows: number;
  readonly models: number;
  readonly findings: Findings;
}

/** Checks a directory that `dataset export` wrote, or that claims to be one. Reads it once, in bounded memory. */
export async function verifyDirectory(directory: string, options: VerifyOptions): Promise<Verification> {
  const findings = new Findings();
  findings.add(...(await checkSums(directory)));
  const record = await attempt(findings, 'dataset.json', () => readRecord(join(directory, 'dataset.json')));
  const provenance = await attempt(findings, 'provenance.jsonl', () =>
    readProvenance(join(directory, 'provenance.jsonl')),
  );
  const keys = options.keys ?? new Map(record?.workers.map(({ id, publicKey }) => [id, publicKey]));
  const check = new RowCheck(findings, {
    keys,
    deviceClasses: new Set(record?.deviceClasses.map(({ id }) => id)),
    provenance: new Set(provenance?.map(provenanceId)),
    record,
  });
  const file = await attempt(findings, 'data', () => rowFileIn(directory));
  const name = file === null ? 'data' : relative(directory, file.path);
  try {
    for await (const row of file?.rows() ?? []) {
      await check.add(row, name);
      options.onProgress(check.rows);
    }
  } catch (error) {
    if (!(error instanceof DatasetError)) throw error;
    findings.addError(error, name);
  }
  const id = await check.end();
  if (record !== null) {
    for (const input of record.fitInputs) {
      await checkModel(directory, input, check.fitRowsOf(input), options.refit, findings);
    }
  }
  return {
    ...{ id, rows: check.rows, signedRows: check.signedRows },
    ...{ models: record?.fitInputs.length ?? 0, findings },
  };
}

interface Known {
  readonly keys: ReadonlyMap<string, string>;
  readonly deviceClasses: ReadonlySet<string>;
  readonly provenance: ReadonlySet<string>;
  readonly record: Dataset | null;
}

/** Number of signatures that other threads check at the same time. */
const MAX_PENDING = 256;

/** Checks of each row in addition to its form. */
class RowCheck {
  rows = 0;
  signedRows = 0;
  private readonly digest = new DatasetDigest();
  private readonly ids = new Set<string>();
  private readonly slots = new Set<string>();
  private readonly inputs: FitInputFinder;
  private pending: Promise<void>[] = [];
  private before: { moment: number; id: string } | null = null;

  constructor(
    private readonly findings: Findings,
    private readonly known: Known,
  ) {
    this.inputs = new FitInputFinder((known.record?.fitInputs ?? []).map(fittedModel));
  }

  async add({ line, row }: NumberedRow, file: string): Promise<void> {
    const tell = (code: string, column: keyof DatasetRow, message: string): void => {
      this.findings.add({ code, file, line, column, message });
    };
    this.rows += 1;
    this.digest.add(row);
    this.inputs.add(row);
    if (this.ids.has(row.sample_id)) tell('duplicate', 'sample_id', `${row.sample_id} occurs twice`);
    this.ids.add(row.sample_id);
    const slot = [row.campaign_id, row.target_id, row.spec_index, row.replicate].join('/');
    if (this.slots.has(slot)) tell('duplicate', 'spec_index', `the slot ${slot} occurs twice`);
    this.slots.add(slot);
    this.checkOrder(row, tell);
    if (!this.known.deviceClasses.has(row.device_class_id)) {
      tell('unknown', 'device_class_id', `${row.device_class_id} is not described in dataset.json`);
    }
    if (row.provenance_id !== null && !this.known.provenance.has(row.provenance_id)) {
      tell('unknown', 'provenance_id', 'no record in provenance.jsonl has this digest');
    }
    if (row.time_min_ms !== null && row.time_min_ms > row.time_ms) {
      tell('range', 'time_min_ms', 'is above the median time_ms');
    }
    if (row.signature !== null) {
      this.signedRows += 1;
      this.pending.push(this.checkSignature(row, tell));
    }
    if (this.pending.length === MAX_PENDING) await this.settle();
  }

  /** Ends the digest and compares the counts with the record. */
  async end(): Promise<string> {
    await this.settle();
    const id = this.digest.id();
    const { record } = this.known;
    const tell = (code: string, message: string): void => {
      this.findings.add({ code, file: 'dataset.json', line: null, column: null, message });
    };
    if (record === null) return id;
    if (record.id !== id) tell('digest', `names the id ${record.id}, but the rows have the id ${id}`);
    if (record.rows !== this.rows) tell('count', `says ${record.rows} rows, found ${this.rows}`);
    if (record.signedRows !== this.signedRows) {
      tell('count', `names ${record.signedRows} signed rows, found ${this.signedRows}`);
    }
    return id;
  }

  fitRowsOf(input: Dataset['fitInputs'][number]): FitRow[] | null {
    return this.inputs.inputOf(fittedModel(input))?.rows ?? null;
  }

  private checkOrder(row: DatasetRow, tell: Tell): void {
    const place = { moment: Date.parse(row.recorded_at), id: row.sample_id };
    const { before } = this;
    const isLater =
      before === null ||
      place.moment > before.moment ||
      (place.moment === before.moment && place.id > before.id);
    if (!isLater) tell('order', 'recorded_at', 'rows must be ordered by recorded_at, then by sample_id');
    this.before = place;
  }

  private async settle(): Promise<void> {
    await Promise.all(this.pending);
    this.pending = [];
  }

  private async checkSignature(row: DatasetRow, tell: Tell): Promise<void> {
    const worker = row.worker_id ?? 'nobody';
    const key = this.known.keys.get(worker);
    if (key === undefined) tell('signature', 'worker_id', `the public key of ${worker} is unknown`);
    else if (!(await isSignedBy(sampleOfRow(row), key))) {
      tell('signature', 'signature', `is not a valid signature of ${worker} for this row`);
    }
  }
}

type Tell = (code: string, column: keyof DatasetRow, message: string) => void;

function fittedModel({ modelId, deviceClassId, dataDigest, rows }: Dataset['fitInputs'][number]) {
  return { id: modelId, deviceClassId, data: { digest: dataDigest, samples: rows } };
}

async function checkModel(
  directory: string,
  { modelId, dataDigest }: Dataset['fitInputs'][number],
  rows: FitRow[] | null,
  refit: boolean,
  findings: Findings,
): Promise<void> {
  const file = `models/${modelId}.json`;
  const tell = (code: string, message: string): void => {
    findings.add({ code, file, line: null, column: null, message });
  };
  const model = await attempt(findings, file, async () =>
    parseModel(await readDocument(join(directory, file))),
  );
  if (model !== null && model.data.digest !== dataDigest) {
    tell('fit-input', `its data digest is not the one that dataset.json names`);
  }
  if (rows === null) tell('fit-input', `the rows of its fit do not give the data digest ${dataDigest}`);
  else if (
    refit &&
    model !== null &&
    !isFittedAgain(model, rows, await attempt(findings, file, () => labelsOf(model, directory)))
  ) {
    tell('refit', 'another fit of the rows gives a different model');
  }
}

/** Whether a fit of the rows gives the same document, byte for byte. The form was requested, or chosen among all. */
export function isFittedAgain(
  model: Model,
  rows: readonly FitRow[],
  kernelLabels: readonly LabelledSpec[] | null = null,
): boolean {
  const { id, version, status, statusReason, data, deviceClassId, campaignId, protocol, design } = model;
  const { noiseFloor, codeVersion, createdAt } = model;
  return ['auto', model.chosenForm].some((form) => {
    const again = fitModel(rows, {
      ...{
        form,
        seed: model.seed,
        coverage: model.interval.coverage,
        loss: model.loss,
        device: model.device,
      },
      ...(model.kernels?.key && {
        kernelMap: { key: model.kernels.key, digest: model.kernels.mapDigest ?? null },
      }),
      kernelLabels: kernelLabels ?? [],
      origin: {
        ...{ digest: data.digest, excluded: data.excluded, deviceClassId, campaignId, protocol, design },
        ...{ noiseFloor, codeVersion, createdAt },
      },
    });
    const published = { ...again, id, version, status, statusReason };
    return JSON.stringify(parseModel(JSON.stringify(published))) === JSON.stringify(model);
  });
}

/** The labels from which the classifier of a model learned. */
async function labelsOf({ kernels }: Model, directory: string): Promise<LabelledSpec[]> {
  if (kernels?.key === undefined || kernels.mapDigest === undefined) return [];
  const file = `kernel-maps/${kernelMapId(kernels.key)}.csv`;
  const csv = await readText(join(directory, file));
  const digest = createHash('sha256').update(csv).digest('hex');
  if (digest === kernels.mapDigest) return await readKernelLabels(csv, file);
  throw new CliError('bad-input', `${file} is not the kernel map of the fit`);
}

/** The value, or null and a finding if it cannot be read. */
async function attempt<T>(findings: Findings, file: string, read: () => Promise<T>): Promise<T | null> {
  try {
    return await read();
  } catch (error) {
    const isExpected = error instanceof CliError || error instanceof ModelError;
    if (!isExpected) throw error;
    findings.add({ code: 'unreadable', file, line: null, column: null, message: error.message });
    return null;
  }
}
