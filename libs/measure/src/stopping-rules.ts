import type { Protocol, Timing } from '@alphaflops/contracts';
import type { TimedBatches } from './timed-batches.js';

/** Says when enough batches have been timed. */
export interface StoppingRule {
  readonly name: Timing['stoppedBy'];
  isMet(batches: TimedBatches): boolean;
}

/** As many batch times as a stored sample holds. */
export const MAX_BATCHES = 10_000;

/** Fewer batches than this have no quartiles worth the name, however slow the convolution. */
export const MIN_BATCHES = 3;

/** Stops when the mean is known well: enough batches, and a small standard error relative to the mean. */
class RelativeStandardErrorRule implements StoppingRule {
  readonly name = 'relative-standard-error';

  constructor(private readonly protocol: Protocol) {}

  isMet({ timesMs, relativeStandardError }: TimedBatches): boolean {
    return (
      timesMs.length >= this.protocol.minBatches &&
      relativeStandardError < this.protocol.maxRelativeStandardError
    );
  }
}

/** Stops when the time budget is spent, or when a sample can hold no more batch times. */
class TotalTimeRule implements StoppingRule {
  readonly name = 'total-time';

  constructor(private readonly protocol: Protocol) {}

  isMet({ timesMs, totalMs }: TimedBatches): boolean {
    return (
      timesMs.length >= MAX_BATCHES || (timesMs.length >= MIN_BATCHES && totalMs >= this.protocol.maxTotalMs)
    );
  }
}

const STOPPING_RULES = {
  'relative-standard-error': RelativeStandardErrorRule,
  'total-time': TotalTimeRule,
} as const satisfies Record<Timing['stoppedBy'], new (protocol: Protocol) => StoppingRule>;

/** Every registered rule, set up by a protocol. The first that is met ends the timing and is recorded. */
export function stoppingRules(protocol: Protocol): StoppingRule[] {
  return Object.values(STOPPING_RULES).map((Rule) => new Rule(protocol));
}
