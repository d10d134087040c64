import { setTimeout } from 'node:timers/promises';
import type { Lease, MeasureJob } from '@alphaflops/contracts';
import { JobQueue, LeaseQueue, measureJobId, QueueConnection } from '@alphaflops/queue';
import { protocolNamed } from '@alphaflops/measure';
import { Stack } from '../../test/support/stack.js';
import type { Benchmark, Row } from './benchmark.js';
import { smallSpecs } from './measurements.js';
import { enrolWorkers, type SimulatedWorker } from './simulated-worker.js';

/** About 10 kB of payload. */
const SPECS = 40;
const EVERY_MS = 20;

/** The time of a batch from the queue to a worker, while many workers wait for work. */
export const dispatch: Benchmark = {
  what: 'from enqueuing a batch to the worker that has it, with 500 polling workers',
  run: async (scale) => {
    const [workers, batches] = scale === 'full' ? [500, 2_000] : [10, 20];
    const stack = await Stack.start({
      ALPHAFLOPS_REQUESTS_PER_MINUTE: '1000000',
      ALPHAFLOPS_ENROLMENTS_PER_MINUTE: '10000',
    });
    try {
      return [await new Dispatch(stack, await enrolWorkers(stack, workers)).row(batches)];
    } finally {
      await stack.stop();
    }
  },
};

class Dispatch {
  private readonly sentMs = new Map<string, number>();
  private readonly tookMs: number[] = [];
  private readonly connection: QueueConnection;
  private readonly leaving = new AbortController();

  constructor(
    private readonly stack: Stack,
    private readonly workers: readonly SimulatedWorker[],
  ) {
    this.connection = new QueueConnection(stack.redis.address);
  }

  async row(batches: number): Promise<Row> {
    const targetId = this.workers[0]?.targetIds[0] ?? '';
    const queue = new JobQueue('measure', this.connection, { targetId });
    const leases = new LeaseQueue('measure', targetId, this.connection, () => undefined);
    const polling = this.workers.map((worker) => this.poll(worker, leases));
    // The time for 500 workers to connect at the same moment is not part of the time of a batch.
    while ((await this.parkedRequests()) < this.workers.length) await setTimeout(100);
    for (let batchIndex = 0; batchIndex < batches; batchIndex += 1) {
      const payload = batchOf(targetId, batchIndex);
      const id = measureJobId(payload);
      this.sentMs.set(id, performance.now());
      await queue.submit([{ id, payload }]);
      await setTimeout(EVERY_MS * 2 * Math.random());
    }
    while (this.tookMs.length < batches) await setTimeout(5);
    this.leaving.abort();
    await Promise.all(polling);
    await leases.close();
    await queue.close();
    this.connection.close();
    const sorted = this.tookMs.toSorted((a, b) => a - b);
    const quantile = (q: number) => sorted[Math.ceil(q * sorted.length) - 1] ?? NaN;
    return {
      what: `enqueue → batch in the worker’s hands, p99, ${this.workers.length} polling workers`,
      comparedWith: null,
      unit: 'ms',
      ours: [quantile(0.99)],
      theirs: [],
      judge: 'ours',
      must: 100,
      goal: 20,
      note: `${batches.toLocaleString('en')} batches of ${SPECS} specs, about ${1_000 / EVERY_MS} a second; median ${quantile(0.5).toFixed(1)} ms. Workers and coordinator share the machine.`,
    };
  }

  /** Number of workers that wait for work at this moment, as counted by the coordinator. */
  private async parkedRequests(): Promise<number> {
    const { token, url } = this.stack;
    const response = await fetch(`${url}/metrics`, { headers: { authorization: `Bearer ${token}` } });
    return Number(/^alphaflops_parked_requests (\d+)$/m.exec(await response.text())?.[1] ?? 0);
  }

  private async poll(
    { id, client, targetIds }: SimulatedWorker,
    leases: LeaseQueue<'measure'>,
  ): Promise<void> {
    const { signal } = this.leaving;
    const request = { jobs: ['measure' as const], targetIds: [...targetIds] };
    while (!signal.aborted) {
      const lease: Lease | null = await client.take(id, request, signal).catch(() => null);
      if (lease === null) continue;
      this.tookMs.push(performance.now() - (this.sentMs.get(lease.id) ?? NaN));
      await leases.complete(lease);
    }
  }
}

function batchOf(targetId: string, batchIndex: number): MeasureJob {
  const slots = smallSpecs(SPECS).map((spec, specIndex) => ({ specIndex, replicate: 0, spec }));
  return { campaignId: 'bench', targetId, batchIndex, protocol: protocolNamed('gpu'), slots };
}
