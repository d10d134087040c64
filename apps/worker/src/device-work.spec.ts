import { type MeasureJob, MeasureJobSchema, type MeasureResult } from '@alphaflops/contracts';
import { ExecutorError } from '@alphaflops/executor';
import type { MeasureBatch } from './batch.js';
import { DeviceWork, type DeviceWorkOptions } from './device-work.js';
import { Log } from './log.js';
import { exampleJob } from './example-job.spec-helper.js';
import { Turns } from './turns.js';

/** A consumer in memory: a queue hands it jobs, and it keeps what was asked of it in order. */
class MemoryConsumer {
  readonly asked: string[] = [];
  /** Results in the queue that nobody has collected. */
  lying = 0;
  private readonly taken = new AbortController();
  private working: Promise<unknown> = Promise.resolve();

  constructor(
    readonly targetId: string,
    private readonly handler: MeasureBatch,
    readonly onError: (error: Error) => void,
  ) {}

  start(): Promise<void> {
    this.asked.push('start');
    return Promise.resolve();
  }

  /** What the job came to, or the reason it came back. */
  hand(job: MeasureJob): Promise<string> {
    const context = { attempt: 1, signal: this.taken.signal, takeNext: () => undefined };
    const work = this.handler(MeasureJobSchema.parse(job), context);
    const outcome = work.then(
      (result) => `done by ${result.deviceId}`,
      (error: unknown) => (error as Error).message,
    );
    this.working = Promise.all([this.working, outcome]);
    return outcome;
  }

  uncollected(): Promise<number> {
    return Promise.resolve(this.lying);
  }

  async finish(): Promise<void> {
    this.asked.push('finish');
    await this.working;
  }

  async giveBack(): Promise<void> {
    this.asked.push('give back');
    this.taken.abort();
    await this.working;
  }
}

/** A device whose batches end when the test says so. */
function device(turns = new Turns(), deviceId = 'd1') {
  const consumers: MemoryConsumer[] = [];
  const waits: { ms: number; signal: AbortSignal; done: () => void }[] = [];
  const lines: string[] = [];
  const batches: { end: (result: Error | 'ok') => void }[] = [];
  const options: DeviceWorkOptions = {
    targetIds: ['class-1', deviceId],
    openConsumer: (...args) => {
      const consumer = new MemoryConsumer(...args);
      consumers.push(consumer);
      return consumer;
    },
    measureBatch: (_job, { signal, attempt }) =>
      new Promise<MeasureResult>((resolve, reject) => {
        const aborted = () => {
          reject(new Error('aborted'));
        };
        if (signal.aborted) aborted();
        signal.addEventListener('abort', aborted);
        batches.push({
          end: (result) => {
            if (result instanceof Error) reject(result);
            else resolve({ deviceId, attempt, results: [] } as unknown as MeasureResult);
          },
        });
      }),
    mostUncollected: 3,
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
  return { work: new DeviceWork(options), consumers, waits, lines, batches };
}

/** Lets everything that is ready happen. */
async function settle(): Promise<void> {
  for (let at = 0; at < 50; at++) await Promise.resolve();
}

function at<T>(items: readonly T[], index: number): T {
  const item = items.at(index);
  if (item === undefined) throw new Error(`there is no item ${index} of ${items.length}`);
  return item;
}

describe('batches of a device', () => {
  it('come from the queues of its class and its own, never two at once', async () => {
    const { work, consumers, batches, lines } = device();
    work.begin();
    await settle();
    expect(consumers.map(({ targetId, asked }) => [targetId, asked])).toEqual([
      ['class-1', ['start']],
      ['d1', ['start']],
    ]);
    const first = at(consumers, 0).hand(exampleJob({ batchIndex: 1 }));
    const second = at(consumers, 1).hand(exampleJob({ batchIndex: 2 }));
    await settle();
    expect([batches.length, work.isMeasuring]).toEqual([1, true]);
    at(batches, 0).end('ok');
    expect(await first).toBe('done by d1');
    await settle();
    expect(batches).toHaveLength(2);
    at(batches, 1).end('ok');
    expect(await second).toBe('done by d1');
    expect(work.isMeasuring).toBe(false);
    expect(lines).toEqual([
      expect.stringMatching(/measured {2}campaign=c1 {2}batch=1 {2}n=1 {2}outcomes= {2}seconds=/),
      expect.stringMatching(/batch=2/),
    ]);
  });

  it('of two devices that are one physically take turns', async () => {
    const turns = new Turns();
    const [wasm, cpu] = [device(turns, 'wasm'), device(turns, 'cpu')];
    wasm.work.begin();
    cpu.work.begin();
    await settle();
    const first = at(wasm.consumers, 0).hand(exampleJob());
    const second = at(cpu.consumers, 0).hand(exampleJob());
    await settle();
    expect([wasm.batches.length, cpu.batches.length]).toEqual([1, 0]);
    at(wasm.batches, 0).end('ok');
    await first;
    await settle();
    at(cpu.batches, 0).end('ok');
    expect(await second).toBe('done by cpu');
  });

  it('are finished when in hand and given back when waiting, and come again after that', async () => {
    const { work, consumers, batches } = device();
    work.begin();
    await settle();
    const inHand = at(consumers, 0).hand(exampleJob());
    const waiting = at(consumers, 1).hand(exampleJob());
    await settle();
    const ended = work.end('finish');
    work.begin();
    await settle();
    expect(consumers.map(({ asked }) => asked)).toEqual([
      ['start', 'finish'],
      ['start', 'give back'],
    ]);
    expect(await waiting).toMatch(/takes no batches/);
    at(batches, 0).end('ok');
    expect(await inHand).toBe('done by d1');
    await ended;
    await settle();
    expect(consumers.slice(2).map(({ targetId }) => targetId)).toEqual(['class-1', 'd1']);
  });

  it('wait for their turn when fetched ahead, and go back when the one in hand is the last', async () => {
    const { work, consumers, batches } = device();
    work.begin();
    await settle();
    const consumer = at(consumers, 0);
    const first = consumer.hand(exampleJob({ batchIndex: 1 }));
    const second = consumer.hand(exampleJob({ batchIndex: 2 }));
    await settle();
    expect(batches).toHaveLength(1);
    at(batches, 0).end('ok');
    expect(await first).toBe('done by d1');
    await settle();
    expect(batches).toHaveLength(2);

    const third = consumer.hand(exampleJob({ batchIndex: 3 }));
    await settle();
    const ended = work.end('finish');
    expect(await third).toMatch(/takes no batches/);
    expect([batches.length, work.isMeasuring]).toEqual([2, true]);
    at(batches, 1).end('ok');
    expect(await second).toBe('done by d1');
    await ended;
  });

  it('are not begun while results lie in the queue, and go back when the worker leaves', async () => {
    const { work, consumers, batches, waits, lines } = device();
    work.begin();
    await settle();
    const consumer = at(consumers, 0);
    consumer.lying = 3;
    const first = consumer.hand(exampleJob());
    await settle();
    expect([batches.length, work.isMeasuring, waits.length]).toEqual([0, false, 1]);
    at(waits, 0).done();
    await settle();
    expect([batches.length, waits.length]).toEqual([0, 2]);
    consumer.lying = 2;
    at(waits, 1).done();
    await settle();
    at(batches, 0).end('ok');
    expect(await first).toBe('done by d1');
    expect(lines).toEqual([
      expect.stringMatching(/Results are not collected.*lying=3/),
      expect.stringContaining('measuring goes on'),
      expect.stringContaining('measured'),
    ]);

    consumer.lying = 3;
    const second = consumer.hand(exampleJob());
    await settle();
    await work.end('finish');
    expect(await second).toMatch(/takes no batches/);
    expect(batches).toHaveLength(1);
  });

  it('wait, and lose no attempt, where the queue refuses to say how many results lie there', async () => {
    const { work, consumers, waits, lines, batches } = device();
    work.begin();
    await settle();
    const consumer = at(consumers, 0);
    consumer.uncollected = () => Promise.reject(new Error('LOADING'));
    const batch = consumer.hand(exampleJob());
    await settle();
    at(waits, 0).done();
    await settle();
    expect([batches.length, waits.length]).toEqual([0, 2]);
    consumer.uncollected = () => Promise.resolve(0);
    at(waits, 1).done();
    await settle();
    at(batches, 0).end('ok');
    expect(await batch).toBe('done by d1');
    expect(lines).toEqual([expect.stringContaining('LOADING'), expect.stringContaining('measured')]);
  });

  it('are given back at once when leaving is hurried', async () => {
    const { work, consumers, lines } = device();
    work.begin();
    await settle();
    const inHand = at(consumers, 0).hand(exampleJob());
    await settle();
    const finishing = work.end('finish');
    await work.end('give-back');
    await finishing;
    expect(await inHand).toBe('aborted');
    expect(lines).toEqual([expect.stringContaining('given back')]);
  });

  it('are not waited for when the queue does not answer and leaving is hurried', async () => {
    const { work, consumers, waits, lines } = device();
    work.begin();
    await settle();
    const inHand = at(consumers, 0).hand(exampleJob());
    await settle();
    const never = new Promise<void>(() => undefined);
    for (const consumer of consumers) consumer.finish = () => never;
    at(consumers, 0).giveBack = () => never;
    const finishing = work.end('finish');
    const leaving = work.end('give-back');
    await settle();
    const limit = waits.find(({ signal }) => !signal.aborted);
    expect(limit?.ms).toBe(5_000);
    let left = false;
    const finished = finishing.then(() => (left = true));
    await settle();
    expect(left).toBe(false);
    limit?.done();
    await Promise.all([finished, leaving]);
    expect(lines).toEqual([expect.stringContaining('comes back to it by itself')]);
    expect(work.isMeasuring).toBe(true);
    await expect(Promise.race([inHand, Promise.resolve('still measuring')])).resolves.toBe('still measuring');
  });

  it('that were fetched while leaving are not begun', async () => {
    const { work, consumers, batches } = device();
    work.begin();
    await settle();
    const consumer = at(consumers, 0);
    consumer.giveBack = () => Promise.resolve();
    await work.end('finish');
    expect(await consumer.hand(exampleJob())).toMatch(/takes no batches/);
    expect(batches).toEqual([]);
  });

  it('are left to others for a growing while when the executor does not start', async () => {
    const { work, consumers, batches, waits, lines } = device();
    work.begin();
    // The other waits are limits of giving back, which end at once here.
    const rests = () => waits.filter(({ signal }) => !signal.aborted);
    const startFailed = new ExecutorError('start-failed', 'executor "x" did not start: no driver');
    for (const [round, ms] of [5_000, 10_000, 20_000].entries()) {
      await settle();
      expect(consumers).toHaveLength(2 * (round + 1));
      const job = at(consumers, -2).hand(exampleJob());
      await settle();
      at(batches, -1).end(startFailed);
      expect(await job).toBe(startFailed.message);
      await settle();
      expect(at(consumers, -2).asked).toEqual(['start', 'finish']);
      expect(at(consumers, -1).asked).toEqual(['start', 'give back']);
      expect(rests()).toHaveLength(round + 1);
      expect(at(rests(), -1).ms).toBe(ms);
      at(rests(), -1).done();
    }
    expect(lines[0]).toContain('not measured: executor "x" did not start: no driver');

    await settle();
    const good = at(consumers, -2).hand(exampleJob());
    await settle();
    at(batches, -1).end('ok');
    await good;
    const bad = at(consumers, -2).hand(exampleJob());
    await settle();
    at(batches, -1).end(startFailed);
    await bad;
    await settle();
    expect(at(rests(), -1).ms).toBe(5_000);

    const resting = at(rests(), -1);
    await work.end('finish');
    expect(resting.signal.aborted).toBe(true);
    await settle();
    expect(at(consumers, -1).asked).toEqual(['start', 'give back']);
  });

  it('say once what is wrong with the queue, however often it is', async () => {
    const { work, consumers, lines } = device();
    work.begin();
    await settle();
    const away = new AggregateError([new Error('connect ECONNREFUSED ::1:6379')], '');
    for (let times = 0; times < 3; times++) at(consumers, 0).onError(away);
    expect(lines).toEqual([expect.stringContaining('queue: connect ECONNREFUSED ::1:6379')]);
  });
});
