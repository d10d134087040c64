import { GiveUp } from '@alphaflops/queue';
import { Injectable } from '@nestjs/common';
import { Counter, Histogram, Registry } from 'prom-client';

/** Metrics of the fits of this process. */
@Injectable()
export class FitMetrics {
  private readonly fits: Counter;
  private readonly duration: Histogram;

  constructor(registry: Registry) {
    const registers = [registry];
    this.fits = new Counter({
      name: 'alphaflops_fits_total',
      help: 'Fits by how they ended: published, impossible with these data, broken (tried again)',
      labelNames: ['end'],
      registers,
    });
    this.duration = new Histogram({
      name: 'alphaflops_fit_seconds',
      help: 'Time to read the samples, fit and publish',
      buckets: [0.5, 2, 10, 60, 300, 1800],
      registers,
    });
  }

  async timed<T>(fit: () => Promise<T>): Promise<T> {
    const end = this.duration.startTimer();
    try {
      const result = await fit();
      this.fits.inc({ end: 'published' });
      return result;
    } catch (error) {
      this.fits.inc({ end: error instanceof GiveUp ? 'impossible' : 'broken' });
      throw error;
    } finally {
      end();
    }
  }
}
