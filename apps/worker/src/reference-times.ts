import { readFile, writeFile } from 'node:fs/promises';
import { errorText } from '@alphaflops/contracts';
import { z } from 'zod';
import type { Log } from './log.js';

const TimesSchema = z.record(z.string(), z.number().gt(0));

/**
 * The undisturbed time of the reference convolution of each device, kept in a file over restarts. So a worker that
 * starts on a busy machine knows the undisturbed time. Without a readable file the worker measures the time again.
 */
export class ReferenceTimes {
  private constructor(
    private readonly file: string,
    private readonly timesMs: Record<string, number>,
    private readonly log: Log,
  ) {}

  static async read(file: string, log: Log): Promise<ReferenceTimes> {
    const text = await readFile(file, 'utf8').catch(() => '{}');
    let found: unknown = {};
    try {
      found = JSON.parse(text);
    } catch {
      // The file is written again.
    }
    return new ReferenceTimes(file, TimesSchema.safeParse(found).data ?? {}, log);
  }

  /** In milliseconds; null: unknown. Other libraries on the same device have another class, and another time. */
  of(deviceClassId: string, deviceId: string): number | null {
    return this.timesMs[keyOf(deviceClassId, deviceId)] ?? null;
  }

  async keep(deviceClassId: string, deviceId: string, timeMs: number | null): Promise<void> {
    if (timeMs === null || timeMs === this.of(deviceClassId, deviceId)) return;
    this.timesMs[keyOf(deviceClassId, deviceId)] = timeMs;
    try {
      await writeFile(this.file, `${JSON.stringify(this.timesMs, null, 2)}\n`);
    } catch (error) {
      this.log.warn(`Cannot store the undisturbed time of the reference convolution: ${errorText(error)}`);
    }
  }
}

function keyOf(deviceClassId: string, deviceId: string): string {
  return `${deviceClassId} ${deviceId}`;
}
