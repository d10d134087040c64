import type { Measurement, Protocol } from '@alphaflops/contracts';
import type { SpecMeasurer } from './batch.js';
import type { Log } from './log.js';

/** After this number of disturbed samples in a row, the worker assumes that the disturbance lasts. */
const IN_A_ROW = 5;

/**
 * Detects that other programs disturb all measurements of a device. Reports it once, and reports the end once. Each of
 * these samples, or one before it, has waited for a quiet moment without success.
 */
export class Disturbed implements SpecMeasurer {
  private inARow = 0;
  /** Readable reason; null: the device is not disturbed permanently. */
  reason: string | null = null;

  constructor(
    private readonly measurer: SpecMeasurer,
    private readonly log: Log,
  ) {}

  async *measureEach(...request: Parameters<SpecMeasurer['measureEach']>): AsyncGenerator<Measurement> {
    const [, { maxDisturbance }] = request;
    for await (const measurement of this.measurer.measureEach(...request)) {
      if (maxDisturbance !== undefined) this.note(measurement, maxDisturbance);
      yield measurement;
    }
  }

  private note({ outcome, conditions }: Measurement, limit: NonNullable<Protocol['maxDisturbance']>): void {
    const disturbance = conditions?.after.disturbance;
    if (disturbance === undefined) return;
    const isDisturbed = outcome === 'noisy' && (disturbance === null || disturbance > limit);
    if (!isDisturbed) {
      this.inARow = 0;
      if (this.reason !== null) this.log.info('the disturbance is over');
      this.reason = null;
      return;
    }
    this.inARow += 1;
    if (this.inARow < IN_A_ROW || this.reason !== null) return;
    const how =
      disturbance === null
        ? 'use this machine all the time'
        : `slow it down by ${Math.round(100 * disturbance)} % or more`;
    this.reason = `other programs ${how}, and its samples are noisy until they end`;
    this.log.warn(`This machine stays disturbed: ${this.reason}.`);
  }
}
