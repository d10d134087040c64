import { createReadStream } from 'node:fs';
import { mkdir, open, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import {
  type EnrolmentRequest,
  type MeasureJob,
  type OfflineResultLine,
  OfflineResultLineSchema,
  RESULT_FILES,
} from '@alphaflops/contracts';
import { packFolder } from '@alphaflops/store';

type Place = Pick<MeasureJob, 'campaignId' | 'targetId' | 'batchIndex'>;

/**
 * Results that are not packed yet, in a folder next to the later file. A node that is switched off loses at most one
 * batch.
 */
export class ResultsFolder {
  private constructor(
    private readonly folder: string,
    private readonly done: Set<string>,
  ) {}

  /** Includes the results of an earlier, interrupted run. An incomplete line is removed. */
  static async beside(out: string): Promise<ResultsFolder> {
    const folder = `${out}.partial`;
    await mkdir(folder, { recursive: true });
    const file = join(folder, RESULT_FILES.results);
    await (await open(file, 'a')).close();
    const done = new Set<string>();
    let wholeBytes = 0;
    for await (const line of createInterface({ input: createReadStream(file) })) {
      const parsed = OfflineResultLineSchema.safeParse(jsonOrNull(line));
      if (!parsed.success) break;
      done.add(keyOf(parsed.data));
      wholeBytes += Buffer.byteLength(line) + 1;
    }
    await truncate(file, wholeBytes);
    return new ResultsFolder(folder, done);
  }

  has(place: Place): boolean {
    return this.done.has(keyOf(place));
  }

  /** Resolves when the result is on the disk. */
  async add(result: OfflineResultLine): Promise<void> {
    const handle = await open(join(this.folder, RESULT_FILES.results), 'a');
    try {
      await handle.writeFile(`${JSON.stringify(result)}\n`);
      await handle.sync();
    } finally {
      await handle.close();
    }
    this.done.add(keyOf(result));
  }

  /**
   * Packs all results with the description of the node.
   * @param keep keeps the folder, so that a further run measures only missing batches
   */
  async pack(node: EnrolmentRequest, out: string, keep: boolean): Promise<void> {
    await writeFile(join(this.folder, RESULT_FILES.node), `${JSON.stringify(node, null, 2)}\n`);
    await packFolder(this.folder, out);
    if (!keep) await rm(this.folder, { recursive: true });
  }
}

function keyOf({ campaignId, targetId, batchIndex }: Place): string {
  return `${campaignId} ${targetId} ${batchIndex}`;
}

function jsonOrNull(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
