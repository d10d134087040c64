import type { Sample } from '@alphaflops/contracts';
import { Injectable } from '@nestjs/common';
import { Counter, Histogram, Registry } from 'prom-client';

/** The records of this process. The total of the deployment is the sum over its processes. */
@Injectable()
export class RecordingMetrics {
  private readonly samples: Counter;
  private readonly duplicates: Counter;
  private readonly batches: Counter;
  private readonly latency: Histogram;

  constructor(registry: Registry) {
    const registers = [registry];
    this.samples = new Counter({
      name: 'alphaflops_samples_total',
      help: 'Samples of recorded batches, by outcome, without duplicates of whole batches',
      labelNames: ['outcome'],
      registers,
    });
    this.duplicates = new Counter({
      name: 'alphaflops_samples_duplicate_total',
      help: 'Samples dropped because their slot was recorded already',
      registers,
    });
    this.batches = new Counter({
      name: 'alphaflops_batches_total',
      help: 'Recorded batches: measured by a worker, or failed after all attempts',
      labelNames: ['end'],
      registers,
    });
    this.latency = new Histogram({
      name: 'alphaflops_recording_seconds',
      help: 'From the arrival of a result to its samples in the store',
      buckets: [0.01, 0.05, 0.2, 1, 5, 30, 300],
      registers,
    });
  }

  recorded(
    batch: { ok: boolean; receivedAtMs: number },
    samples: readonly Sample[],
    { inserted, duplicates }: { inserted: number; duplicates: number },
  ): void {
    this.duplicates.inc(duplicates);
    // Another process recorded it first.
    if (inserted === 0) return;
    for (const { outcome } of samples) this.samples.inc({ outcome });
    this.batches.inc({ end: batch.ok ? 'measured' : 'failed' });
    this.latency.observe(Math.max(0, Date.now() - batch.receivedAtMs) / 1000);
  }
}
