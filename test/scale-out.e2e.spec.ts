import { createApiClient, type ApiClient, type components } from '@alphaflops/api-client';
import { fakeSpec } from '@alphaflops/executor/testing';
import { writeSpecs } from '@alphaflops/dataset';
import { startMongoServer } from './support/mongodb.js';
import { type RoundRobin, startRoundRobin } from './support/round-robin.js';
import { end, Stack, until } from './support/stack.js';

type Campaign = components['schemas']['Campaign'];
type Progress = components['schemas']['CampaignProgress'];

const server = await startMongoServer();
const skipped = server.skip === null ? '' : ` (skipped: ${server.skip})`;
afterAll(() => server.stop());

let stack: Stack;
let proxy: RoundRobin | null = null;
const start = async (uri: string, settings: Record<string, string> = {}) => {
  stack = await Stack.start({ MONGODB_URI: uri, ALPHAFLOPS_BATCH_SPECS: '5', ...settings });
};
afterEach(async () => {
  proxy?.close();
  await stack.stop();
}, 60_000);

async function createCampaign(api: ApiClient, specs: number, form: 'flops' | 'auto'): Promise<Campaign> {
  const { data: classes } = await api.GET('/v1/device-classes');
  const slow = Array.from({ length: specs }, (_, i) => fakeSpec('slow', { width: 40, cin: i + 1, cout: 8 }));
  let csv = '';
  for await (const piece of writeSpecs(slow)) csv += piece;
  const { data } = await api.POST('/v1/campaigns', {
    body: {
      name: 'shared',
      target: { kind: 'device-class', deviceClassId: classes?.items[0]?.id ?? '' },
      design: { name: 'csv', csv },
      repeats: 0,
      budget: { specs },
      fit: { form },
    },
  });
  if (data === undefined) throw new Error('no campaign');
  return data;
}

async function progress(api: ApiClient, id: string): Promise<Progress> {
  const { data } = await api.GET('/v1/campaigns/{id}/progress', { params: { path: { id } } });
  if (data === undefined) throw new Error('no progress');
  return data;
}

const specIndices = async (api: ApiClient, campaignId: string) => {
  const { data } = await api.GET('/v1/samples', { params: { query: { campaignId, limit: 1000 } } });
  return data?.items.map(({ specIndex }) => specIndex).sort((a, b) => a - b);
};
const allOf = (count: number) => Array.from({ length: count }, (_, i) => i);

(server.skip === null ? describe : describe.skip)(`several processes on one MongoDB${skipped}`, () => {
  it('coordinators that start at the same moment on an empty store create one admin token', async () => {
    stack = await Stack.prepare({ MONGODB_URI: server.database() });
    const started = await Promise.all([1, 2, 3].map(() => stack.launchCoordinator()));
    const tokens = started.flatMap(({ adminToken }) => adminToken ?? []);
    expect(tokens).toHaveLength(1);
    stack.token = tokens[0] ?? '';
    for (const { url } of started) {
      stack.url = url;
      expect((await stack.api.GET('/v1/tokens')).data).toHaveLength(1);
    }
  }, 60_000);

  it('two coordinators behind one address: one creates, the other shows, and one may be killed', async () => {
    await start(server.database({ withoutTransactions: true }));
    const second = await stack.launchCoordinator();
    proxy = await startRoundRobin([stack.url, second.url]);
    const worker = stack.startWorker(await stack.enrol('node', 'fake', proxy.url));

    const campaign = await createCampaign(stack.api, 80, 'flops');
    const other = createApiClient({ url: second.url, token: stack.token });
    const events = await fetch(`${second.url}/v1/campaigns/${campaign.id}/events`, {
      headers: { authorization: `Bearer ${stack.token}` },
    });
    await until(
      () => progress(other, campaign.id),
      ({ recordedSlots }) => recordedSlots >= 20,
    );
    await stack.stopCoordinator('SIGKILL');

    const seen = (await events.text())
      .split('\n')
      .filter((line) => line.startsWith('data: '))
      .map((line) => JSON.parse(line.slice('data: '.length)) as Progress);
    expect(seen.at(-1)).toMatchObject({ state: 'completed', recordedSlots: 80, outcomes: { ok: 80 } });
    expect(seen.map(({ recordedSlots }) => recordedSlots)).toEqual(
      seen.map(({ recordedSlots }) => recordedSlots).toSorted((a, b) => a - b),
    );
    expect(await specIndices(other, campaign.id)).toEqual(allOf(80));

    // Requests to the address still succeed: both coordinators served the worker, and the remaining one continues.
    const behind = createApiClient({ url: proxy.url, token: stack.token });
    await until(
      async () => (await behind.GET('/v1/workers')).data?.items[0]?.presence,
      (presence) => presence === 'online',
    );
    expect(Math.min(...proxy.taken)).toBeGreaterThan(0);
    expect(second.running.output()).not.toMatch(/error/i);
    await end(worker.child, 'SIGTERM');
  }, 120_000);

  it('a separate fitter: after a kill in the middle of a fit, the next one publishes the model once', async () => {
    await start(server.database(), { ROLES: 'api,record' });
    stack.startWorker(await stack.enrol('node'));
    const campaign = await createCampaign(stack.api, 60, 'auto');
    const state = async () => (await progress(stack.api, campaign.id)).state;
    await until(state, (now) => now === 'fitting');
    expect(await specIndices(stack.api, campaign.id)).toEqual(allOf(60));

    const fit = { params: { path: { id: `fit-${campaign.id}` } } };
    const fitState = async () => (await stack.api.GET('/v1/fits/{id}', fit)).data?.state;
    expect(await fitState()).toBe('waiting');
    const killed = await stack.launchFitter();
    await until(fitState, (now) => now === 'active');
    await end(killed.running.child, 'SIGKILL');
    expect(await fitState()).toBe('active');

    const fitter = await stack.launchFitter();
    expect((await fetch(`${fitter.url}/readyz`)).status).toBe(200);
    await until(state, (now) => now === 'completed');
    const { data: models } = await stack.api.GET('/v1/models');
    expect(models?.items.map(({ version, campaignId }) => [version, campaignId])).toEqual([[1, campaign.id]]);
    const metrics = await fetch(`${fitter.url}/metrics`, {
      headers: { authorization: `Bearer ${stack.token}` },
    });
    expect(await metrics.text()).toContain('alphaflops_fits_total{end="published"} 1');

    // Both end, also while the store does not answer. The test does not stop a server of the user for that.
    if (process.env['MONGODB_URI'] === undefined) void server.fail('replicaSet', { stop: 60_000 });
    const coordinator = stack.coordinatorProcess;
    const askedMs = Date.now();
    await Promise.all([end(fitter.running.child, 'SIGTERM'), end(coordinator, 'SIGTERM')]);
    expect(Date.now() - askedMs).toBeLessThan(10_000);
    expect([fitter.running.child.exitCode, coordinator.exitCode]).toEqual([0, 0]);
  }, 120_000);
});
