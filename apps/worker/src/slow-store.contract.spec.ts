import { generateKeyPairSync } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { JobConsumer, JobQueue, measureJobId, PrivateRedis } from '@alphaflops/queue';
import { sealing } from './batch.js';
import { DeviceWork } from './device-work.js';
import { exampleJob } from './example-job.spec-helper.js';
import { Log } from './log.js';
import { Turns } from './turns.js';
import { wait } from './wait.js';

const BATCHES = 24;
const MOST_UNCOLLECTED = 4;
const DEVICES = 3;
const { privateKey } = generateKeyPairSync('ed25519');

let directory: string;
let redis: PrivateRedis;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'alphaflops-slow-store-'));
  redis = await PrivateRedis.start({ directory });
}, 30_000);
afterAll(async () => {
  await redis.stop();
  await rm(directory, { recursive: true });
});

it('has devices pause while results are not stored, and go on when they are; nothing is dropped', async () => {
  const queue = new JobQueue('measure', redis.address, { targetId: 'class-1' });
  const jobs = Array.from({ length: BATCHES }, (_, batchIndex) => exampleJob({ batchIndex }));
  await queue.submit(jobs.map((payload) => ({ id: measureJobId(payload), payload })));

  const lines: string[] = [];
  const works = Array.from({ length: DEVICES }, (_, i) => {
    const deviceId = `device-${i}`;
    const startedAt = new Date().toISOString();
    const measurement = { outcome: 'unsupported', reason: 'none', timing: null, conditions: null } as const;
    const provenance = {
      schema: 'alphaflops.provenance/1' as const,
      ...{ device: {}, libraries: {}, mathMode: 'none', executor: { name: 'fake', version: '1' } },
      worker: { version: '1', commit: null, dirty: null },
      host: { hostname: 'h', cpu: 'c', os: 'o', kernel: 'k', node: 'n' },
    };
    return new DeviceWork({
      targetIds: ['class-1'],
      openConsumer: (targetId, handler, onError) =>
        new JobConsumer('measure', redis.address, sealing(handler, privateKey), { targetId, onError }),
      measureBatch: (_job, { attempt, takeNext }) => {
        takeNext();
        const results = [{ specIndex: 0, replicate: 0, startedAt, measurement, signature: 'A'.repeat(86) }];
        return Promise.resolve({ workerId: 'w', deviceId, provenance, attempt, results });
      },
      mostUncollected: MOST_UNCOLLECTED,
      turns: new Turns(),
      wait,
      log: new Log({ level: 'log', json: false }, (line) => lines.push(line)),
    });
  });
  for (const work of works) work.begin();

  // A store that is away: nobody collects, until all devices have said that they wait.
  const paused = () => lines.filter((line) => line.includes('Results are not collected')).length;
  let counts = await queue.counts();
  while (paused() < DEVICES) counts = await queue.counts();
  expect(counts.settled).toBeGreaterThanOrEqual(MOST_UNCOLLECTED);
  // Each may have been about to begin one, and have had the next one let in.
  expect(counts.settled).toBeLessThan(MOST_UNCOLLECTED + 2 * DEVICES);
  expect(counts.waiting + counts.active + counts.settled).toBe(BATCHES);

  const stored: string[] = [];
  while (stored.length < BATCHES) {
    await queue.collect(({ jobId }) => {
      stored.push(jobId);
      return Promise.resolve();
    });
  }
  expect(stored.toSorted()).toEqual(jobs.map(measureJobId).toSorted());
  expect(await queue.counts()).toEqual({ waiting: 0, active: 0, settled: 0 });
  expect(lines).toContainEqual(expect.stringContaining('measuring goes on'));
  await Promise.all(works.map((work) => work.end('finish')));
  await queue.close();
}, 60_000);
