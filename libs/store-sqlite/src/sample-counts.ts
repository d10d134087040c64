import type { Sample } from '@alphaflops/contracts';
import type { Connection } from './connection.js';

/** Collects the changes of the sample counters. `write` applies them in the transaction that changes the samples. */
export class SampleCounts {
  private readonly outcomes = new Tally<[campaignId: string, outcome: string]>();
  private readonly batches = new Tally<[campaignId: string, targetId: string, batchIndex: number]>();

  /** @param by 1 for a sample that is added, −1 for a sample that is removed */
  add({ campaignId, targetId, batchIndex, outcome, setAside }: Sample, by: 1 | -1): void {
    this.outcomes.add([campaignId, outcome], by);
    if (setAside === undefined) this.batches.add([campaignId, targetId, batchIndex], by);
  }

  write(connection: Connection): void {
    for (const [key, count] of this.outcomes.entries()) {
      connection.run(
        'INSERT INTO outcome_counts (campaign_id, outcome, recorded) VALUES (?, ?, ?) ' +
          'ON CONFLICT (campaign_id, outcome) DO UPDATE SET recorded = recorded + excluded.recorded',
        [...key, count],
      );
    }
    for (const [key, count] of this.batches.entries()) {
      connection.run(
        'INSERT INTO batch_counts (campaign_id, target_id, batch_index, recorded) VALUES (?, ?, ?, ?) ' +
          'ON CONFLICT (campaign_id, target_id, batch_index) DO UPDATE SET recorded = recorded + excluded.recorded',
        [...key, count],
      );
    }
  }
}

/** Sums the counts of each key. */
class Tally<K extends readonly (string | number)[]> {
  private readonly counts = new Map<string, { key: K; count: number }>();

  add(key: K, by: number): void {
    const name = key.join(' ');
    const known = this.counts.get(name);
    if (known === undefined) this.counts.set(name, { key, count: by });
    else known.count += by;
  }

  entries(): [K, number][] {
    return [...this.counts.values()].map(({ key, count }) => [key, count]);
  }
}
