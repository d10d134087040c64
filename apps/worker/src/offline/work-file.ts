import { createReadStream } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import {
  type MeasureJob,
  MeasureJobSchema,
  WORK_FILES,
  type WorkAbout,
  WorkAboutSchema,
  WORKER_PROTOCOL_VERSION,
  errorText,
} from '@alphaflops/contracts';
import { unpackFile } from '@alphaflops/store';
import { WorkerError } from '../error.js';

/** A file of `campaign export-work`. */
export interface WorkFile {
  readonly about: WorkAbout;
  readonly batches: readonly MeasureJob[];
}

/** @throws WorkerError `bad-work-file` that names the file and what is wrong with it */
export async function readWorkFile(file: string): Promise<WorkFile> {
  const folder = await mkdtemp(join(tmpdir(), 'alphaflops-work-'));
  try {
    await unpackFile(file, folder, Object.values(WORK_FILES));
    const about = WorkAboutSchema.parse(JSON.parse(await readFile(join(folder, WORK_FILES.about), 'utf8')));
    if (about.protocolVersion !== WORKER_PROTOCOL_VERSION) {
      throw new Error(
        `it is of worker protocol ${about.protocolVersion}, this worker has ${WORKER_PROTOCOL_VERSION}: ` +
          'use the same version of alphaflops on both sides',
      );
    }
    const batches: MeasureJob[] = [];
    const lines = createInterface({ input: createReadStream(join(folder, WORK_FILES.batches)) });
    for await (const line of lines) batches.push(MeasureJobSchema.parse(JSON.parse(line)));
    return { about, batches };
  } catch (cause) {
    throw new WorkerError('bad-work-file', `Cannot use ${file} as a work file: ${errorText(cause)}.`, {
      cause,
    });
  } finally {
    await rm(folder, { recursive: true });
  }
}
