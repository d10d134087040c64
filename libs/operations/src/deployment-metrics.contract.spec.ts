import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { CampaignState } from '@alphaflops/contracts';
import { JobQueue, QueueConnection } from '@alphaflops/queue';
import { PrivateRedis } from '@alphaflops/queue/private-redis';
import type { Stores } from '@alphaflops/store';
import { buildCampaign, buildWorker } from '@alphaflops/store/conformance';
import { openTemporaryStores } from '@alphaflops/store-sqlite/testing';
import { Registry } from 'prom-client';
import { DeploymentMetrics } from './deployment-metrics.js';

const SETTINGS = { offlineAfterS: 60, staleAfterS: 600 };

let directory: string;
let redis: PrivateRedis;
let connection: QueueConnection;
let stores: Stores;
let cleanUp: () => Promise<void>;
let registry: Registry;
let metrics: DeploymentMetrics;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'alphaflops-metrics-'));
  redis = await PrivateRedis.start({ directory });
}, 30_000);
beforeEach(async () => {
  ({ stores, cleanUp } = await openTemporaryStores());
  connection = new QueueConnection(redis.address);
  registry = new Registry();
  metrics = new DeploymentMetrics(registry, stores.campaigns, stores.fleet, SETTINGS, connection);
});
afterEach(async () => {
  await metrics.onApplicationShutdown();
  connection.close();
  await cleanUp();
});
afterAll(async () => {
  await redis.stop();
  await rm(directory, { recursive: true });
});

/** The values of a metric by their labels. */
async function valuesOf(name: string): Promise<Record<string, number>> {
  const found = await registry.getSingleMetric(name)?.get();
  return Object.fromEntries(
    (found?.values ?? []).map(({ labels, value }) => [Object.values(labels).join(' '), value]),
  );
}

it('campaigns are counted by state until they end', async () => {
  const states: CampaignState[] = ['draft', 'running', 'running', 'fitting', 'completed', 'failed'];
  for (const state of states) await stores.campaigns.create(buildCampaign({ state }));
  expect(await valuesOf('alphaflops_campaigns')).toEqual({ planned: 0, running: 2, paused: 0, fitting: 1 });
  const [running] = (await stores.campaigns.list({ state: 'running' }, { limit: 1 })).items;
  const at = new Date().toISOString();
  await stores.campaigns.transition(running?.id ?? '', 'running', { state: 'paused', at, reason: 'lunch' });
  expect(await valuesOf('alphaflops_campaigns')).toEqual({ planned: 0, running: 1, paused: 1, fitting: 1 });
});

it('workers are counted by presence and by what the operator wants', async () => {
  const lastHeartbeatAt = new Date().toISOString();
  for (const part of [
    { lastHeartbeatAt },
    { lastHeartbeatAt },
    { lastHeartbeatAt, desiredState: 'paused' as const },
    { desiredState: 'revoked' as const },
  ]) {
    await stores.fleet.putWorker(buildWorker(part), [], [], new Map());
  }
  const counts = await valuesOf('alphaflops_workers');
  expect(Object.keys(counts)).toHaveLength(12);
  expect(Object.entries(counts).filter(([, count]) => count > 0)).toEqual([
    ['online active', 2],
    ['online paused', 1],
    ['stale revoked', 1],
  ]);
});

it('jobs are counted in the queues of fits and rounds, and of the targets of campaigns that have not ended', async () => {
  const payload = { deviceClassId: 'class-a', campaignId: null, request: { form: 'auto', seed: 1 } };
  const fits = new JobQueue('fit', connection);
  await fits.submit(['a', 'b'].map((id) => ({ id, payload })));
  await fits.close();
  for (const [state, targetId] of [
    ['running', 'class-a'],
    ['paused', 'class-a'],
    ['running', 'class-b'],
    ['completed', 'class-c'],
  ] as const) {
    await stores.campaigns.create(buildCampaign({ state, targetIds: [targetId] }));
  }
  const expected = {
    ...{ 'fit waiting': 2, 'fit active': 0, 'plan-round waiting': 0, 'plan-round active': 0 },
    ...{ 'measure class-a waiting': 0, 'measure class-a active': 0 },
    ...{ 'measure class-b waiting': 0, 'measure class-b active': 0 },
  };
  expect(await valuesOf('alphaflops_queue_jobs')).toEqual(expected);
  for (const { id, targetIds } of (await stores.campaigns.list({ state: 'running' }, { limit: 9 })).items) {
    if (!targetIds.includes('class-b')) continue;
    const at = new Date().toISOString();
    await stores.campaigns.transition(id, 'running', { state: 'cancelled', at, reason: 'enough' });
  }
  const left = Object.entries(expected).filter(([queue]) => !queue.includes('class-b'));
  expect(await valuesOf('alphaflops_queue_jobs')).toEqual(Object.fromEntries(left));
});
