import type { Lease, MeasureJob } from '@alphaflops/contracts';
import { ExecutorError } from '@alphaflops/executor';
import { DeviceWork, type DeviceWorkOptions } from './device-work.js';
import { exampleJob } from './example-job.spec-helper.js';
import type { Held } from './leases.js';
import { Log } from './log.js';
import type { JobContext, Performed } from './performer.js';
import { Turns } from './turns.js';

const batchOf = (lease: Lease): number => (lease as Lease<'measure'>).payload.batchIndex;

/** Leases in memory: the test hands out jobs, and sees the outcome of each. */
class MemoryLeases {
  /** `take`, `take aborted`, and the outcomes of batches: `stored 1`, `given back 1`, `failed 1: why`. */
  readonly seen: string[] = [];
  /** Whether results are stored at once; otherwise the test decides when. */
  isStoring = true;
  readonly unstored: (() => void)[] = [];
  private readonly asking: ((held: Held) => void)[] = [];
  private readonly lost = new Map<number, AbortController>();

  take = (_request: unknown, signal: AbortSignal): Promise<Held | null> => {
    this.seen.push('take');
    return new Promise((resolve) => {
      if (signal.aborted) {
        resolve(null);
        return;
      }
      signal.addEventListener('abort', () => {
        if (this.asking.includes(resolve)) this.asking.splice(this.asking.indexOf(resolve), 1);
        resolve(null);
      });
      this.asking.push(resolve);
    });
  };

  bring = async ({ lease }: Held, _performed: unknown, signal: AbortSignal): Promise<void> => {
    if (!this.isStoring) {
      await new Promise<void>((resolve) => {
        this.unstored.push(resolve);
        signal.addEventListener('abort', () => {
          resolve();
        });
      });
    }
    this.seen.push(`stored ${batchOf(lease)}`);
  };

  giveBack = ({ lease }: Pick<Held, 'lease'>): Promise<void> => {
    this.seen.push(`given back ${batchOf(lease)}`);
    return Promise.resolve();
  };

  fail = ({ lease }: Held, reason: string): Promise<void> => {
    this.seen.push(`failed ${batchOf(lease)}: ${reason}`);
    return Promise.resolve();
  };

  /** Answers the oldest request for work. */
  hand(batchIndex: number, attempt = 1): void {
    const ask = this.asking.shift();
    if (ask === undefined) throw new Error('nobody asks for work');
    const lost = new AbortController();
    this.lost.set(batchIndex, lost);
    const ref = { job: 'measure' as const, targetId: 'class-1', id: `c1.b${batchIndex}`, token: 'w.t' };
    const lease: Lease<'measure'> = { ...ref, attempt, leaseMs: 8_000, payload: exampleJob({ batchIndex }) };
    ask({ lease, lost: lost.signal });
  }

  takeAway(batchIndex: number): void {
    this.lost.get(batchIndex)?.abort();
  }

  get requested(): number {
    return this.asking.length;
  }
}

/** A device whose batches end when the test decides. */
function device(turns = new Turns()) {
  const leases = new MemoryLeases();
  const waits: { ms: number; signal: AbortSignal; done: () => void }[] = [];
  const lines: string[] = [];
  const batches: { job: MeasureJob; context: JobContext; end: (result: Error | 'ok') => void }[] = [];
  const options: DeviceWorkOptions = {
    targetIds: ['class-1', 'd1'],
    leases,
    performers: {
      measure: {
        done: 'measured',
        describe: ({ batchIndex }) => ({ batch: batchIndex }),
        perform: (job, context) =>
          new Promise<Performed<'measure'>>((resolve, reject) => {
            const { signal } = context;
            const aborted = () => {
              reject(new Error('aborted'));
            };
            if (signal.aborted) aborted();
            signal.addEventListener('abort', aborted);
            const end = (result: Error | 'ok') => {
              if (result instanceof Error) reject(result);
              else resolve({ body: new Uint8Array(), summary: {} } as unknown as Performed<'measure'>);
            };
            batches.push({ job, context, end });
          }),
      },
    },
    turns,
    wait: (ms, signal) =>
      new Promise((done) => {
        waits.push({ ms, signal, done });
        signal.addEventListener('abort', () => {
          done();
        });
      }),
    log: new Log({ level: 'log', json: false }, (line) => lines.push(line)),
  };
  return { work: new DeviceWork(options), leases, waits, lines, batches };
}

/** Runs all pending callbacks. */
async function settle(): Promise<void> {
  for (let at = 0; at < 100; at++) await Promise.resolve();
}

function at<T>(items: readonly T[], index: number): T {
  const item = items.at(index);
  if (item === undefined) throw new Error(`there is no item ${index} of ${items.length}`);
  return item;
}

describe('jobs of a device', () => {
  it('are done one at a time, and each result is sent during the next job', async () => {
    const { work, leases, batches, lines } = device();
    leases.isStoring = false;
    work.begin();
    await settle();
    leases.hand(1);
    await settle();
    expect([batches.length, work.isMeasuring, leases.requested]).toEqual([1, true, 0]);
    at(batches, 0).end('ok');
    await settle();
    expect([work.isMeasuring, leases.unstored.length]).toEqual([false, 1]);
    leases.hand(2);
    await settle();
    expect([batches.length, work.isMeasuring]).toEqual([2, true]);
    at(leases.unstored, 0)();
    await settle();
    expect(leases.seen).toEqual(['take', 'take', 'stored 1']);
    expect(lines).toEqual([expect.stringMatching(/measured {2}batch=1 {2}seconds=/)]);
  });

  it('are fetched in advance on request, and returned when the current one is the last', async () => {
    const { work, leases, batches } = device();
    work.begin();
    await settle();
    leases.hand(1);
    await settle();
    at(batches, 0).context.takeNext();
    at(batches, 0).context.takeNext();
    expect(leases.requested).toBe(1);
    leases.hand(2);
    await settle();
    expect(batches).toHaveLength(1);
    at(batches, 0).end('ok');
    await settle();
    expect(batches).toHaveLength(2);

    at(batches, 1).context.takeNext();
    leases.hand(3);
    await settle();
    const ended = work.end('finish');
    await settle();
    at(batches, 1).end('ok');
    await ended;
    expect(leases.seen).toEqual(['take', 'take', 'stored 1', 'take', 'stored 2', 'given back 3']);
  });

  it('alternate between two devices that are physically one; a waiting job is returned when its worker leaves', async () => {
    const turns = new Turns();
    const [wasm, cpu] = [device(turns), device(turns)];
    wasm.work.begin();
    cpu.work.begin();
    await settle();
    wasm.leases.hand(1);
    cpu.leases.hand(2);
    await settle();
    expect([wasm.batches.length, cpu.batches.length]).toEqual([1, 0]);
    at(wasm.batches, 0).end('ok');
    await settle();
    expect(cpu.batches).toHaveLength(1);
    wasm.leases.hand(3);
    await settle();
    await wasm.work.end('finish');
    expect(wasm.leases.seen.slice(-1)).toEqual(['given back 3']);
    at(cpu.batches, 0).end('ok');
    await settle();
    expect(cpu.leases.seen).toEqual(['take', 'stored 2', 'take']);
  });

  it('are finished and stored before the device stops, and are taken again after that', async () => {
    const { work, leases, batches } = device();
    leases.isStoring = false;
    work.begin();
    await settle();
    leases.hand(1);
    await settle();
    let hasEnded = false;
    const ended = work.end('finish').then(() => (hasEnded = true));
    work.begin();
    at(batches, 0).end('ok');
    await settle();
    expect([hasEnded, leases.unstored.length, leases.requested]).toEqual([false, 1, 0]);
    at(leases.unstored, 0)();
    await ended;
    await settle();
    expect([leases.requested, leases.seen]).toEqual([1, ['take', 'stored 1', 'take']]);
  });

  it('are returned at once when the worker must leave fast', async () => {
    const { work, leases, lines, batches } = device();
    work.begin();
    await settle();
    leases.hand(1);
    await settle();
    const finishing = work.end('finish');
    await work.end('give-back');
    await finishing;
    expect(at(batches, 0).context.signal.aborted).toBe(true);
    expect(leases.seen).toEqual(['take', 'given back 1']);
    expect(lines).toEqual([expect.stringContaining('given back')]);
  });

  it('are dropped when their lease is lost', async () => {
    const { work, leases, lines } = device();
    work.begin();
    await settle();
    leases.hand(1);
    await settle();
    leases.takeAway(1);
    await settle();
    expect(leases.seen).toEqual(['take', 'take']);
    expect(lines).toEqual([expect.stringContaining('its lease has ended')]);
  });

  it('fail with their reason', async () => {
    const { work, leases, batches } = device();
    work.begin();
    await settle();
    leases.hand(1);
    await settle();
    at(batches, 0).end(new Error('no such algorithm'));
    await settle();
    expect(leases.seen).toEqual(['take', 'failed 1: no such algorithm', 'take']);
  });

  it('are not started while two results are not stored', async () => {
    const { work, leases, batches, waits, lines } = device();
    leases.isStoring = false;
    work.begin();
    await settle();
    for (const batch of [1, 2]) {
      leases.hand(batch);
      await settle();
      at(batches, -1).end('ok');
      await settle();
    }
    expect([leases.requested, at(waits, 0).ms]).toEqual([0, 1_000]);
    at(waits, 0).done();
    await settle();
    expect(lines.at(-1)).toContain('Results are not stored');
    at(leases.unstored, 0)();
    await settle();
    expect([leases.requested, lines.at(-1)]).toEqual([1, expect.stringContaining('measuring continues')]);
  });

  it('delay a stopping worker by at most 5 s after they are measured', async () => {
    const { work, leases, batches, waits, lines } = device();
    leases.isStoring = false;
    work.begin();
    await settle();
    leases.hand(1);
    await settle();
    const ended = work.end('stop');
    await settle();
    at(batches, 0).end('ok');
    await settle();
    expect(waits.map(({ ms }) => ms)).toEqual([5_000]);
    at(waits, 0).done();
    await ended;
    expect(lines.at(-1)).toContain('The coordinator does not answer');
  });

  it('are left to others for growing periods when the executor does not start', async () => {
    const { work, leases, batches, waits, lines } = device();
    work.begin();
    const startFailed = new ExecutorError('start-failed', 'executor "x" did not start: no driver');
    for (const [round, ms] of [5_000, 10_000, 20_000].entries()) {
      await settle();
      leases.hand(round);
      await settle();
      // A job that was fetched in advance is returned too, and no request waits.
      if (round === 1) {
        at(batches, -1).context.takeNext();
        leases.hand(7);
      }
      if (round === 2) at(batches, -1).context.takeNext();
      at(batches, -1).end(startFailed);
      await settle();
      expect([leases.requested, at(waits, -1).ms]).toEqual([0, ms]);
      at(waits, -1).done();
    }
    expect(leases.seen.filter((line) => line !== 'take')).toEqual([
      'given back 0',
      'given back 1',
      'given back 7',
      'given back 2',
    ]);
    expect(lines[0]).toContain('not measured: executor "x" did not start: no driver');

    // A batch with this number of attempts fails; a good batch resets the count.
    await settle();
    leases.hand(3, 10);
    await settle();
    at(batches, -1).end(startFailed);
    await settle();
    expect(leases.seen.at(-1)).toBe('failed 3: executor "x" did not start: no driver');
    at(waits, -1).done();
    await settle();
    leases.hand(4);
    await settle();
    at(batches, -1).end('ok');
    await settle();
    leases.hand(5);
    await settle();
    at(batches, -1).end(startFailed);
    await settle();
    expect(at(waits, -1).ms).toBe(5_000);
    const resting = at(waits, -1);
    await work.end('finish');
    expect(resting.signal.aborted).toBe(true);
  });
});
