import type { Measurement, Protocol } from '@alphaflops/contracts';
import type { SpecMeasurer } from './batch.js';
import type { Log } from './log.js';

/** So many samples one after the other that were disturbed to their end: it does not pass by itself. */
const IN_A_ROW = 5;

/**
 * Notices that other programs disturb all that a device measures, and says so once, and once when it is over. Every one
 * of these samples has waited for a quiet moment in vain, or others before it have.
 */
export class Disturbed implements SpecMeasurer {
  private inARow = 0;
  /** In words; null: the device is not disturbed for long. */
  reason: string | null = null;

  constructor(
    private readonly measurer: SpecMeasurer,
    private readonly log: Log,
  ) {}

  async measure(...asked: Parameters<SpecMeasurer['measure']>): Promise<Measurement> {
    const measurement = await this.measurer.measure(...asked);
    const [, protocol] = asked;
    if (protocol.maxDisturbance !== undefined) this.note(measurement, protocol.maxDisturbance);
    return measurement;
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
        ? 'use it all the time'
        : `slow it down by ${Math.round(100 * disturbance)} % or more`;
    this.reason = `other programs ${how}: what it measures is noisy until they end`;
    this.log.warn(`This machine stays disturbed: ${this.reason}.`);
  }
}
