/** The data that a deployment shows without a token: nothing, or exactly the list in docs/security.md. */
import { hostname } from 'node:os';
import { CONV_SPEC_DEFAULTS } from '@alphaflops/conv';
import type { Dataset, Model } from '@alphaflops/contracts';
import { type Answer, request } from './support/requests.js';
import { Stack, until } from './support/stack.js';

interface Route {
  method: string;
  path: string;
  access: string;
  isPublicRead: boolean;
}

/**
 * Routes that are public with and without the setting: health, files for machines that join, sign-in, the schema of a
 * model.
 */
const ALWAYS = [
  'GET /bundles/{platform}.tar.gz',
  'GET /bundles/{platform}.tar.gz.sha256',
  'GET /healthz',
  'GET /join.sh',
  'GET /readyz',
  'GET /v1/access',
  'GET /v1/schemas/model',
];
const WHERE_ALLOWED = [
  'GET /v1/datasets',
  'GET /v1/datasets/{id}',
  'GET /v1/datasets/{id}/samples',
  'GET /v1/device-classes',
  'GET /v1/device-classes/{id}',
  'GET /v1/device-classes/{id}/models/latest',
  'GET /v1/models',
  'GET /v1/models/{id}',
  'GET /v1/models/{id}/card',
  'GET /v1/models/{id}/diff/{other}',
  'GET /v1/samples/stream',
  'POST /v1/predictions',
];

let stack: Stack;
let routes: Route[];
let model: Model;
let dataset: Dataset;
let campaignId: string;
/** Texts that no answer may contain, by kind. */
const secrets = new Map<string, string>();

const LAYER = { ...CONV_SPEC_DEFAULTS, height: 8, width: 8, cin: 8, cout: 8, kernel_h: 3, kernel_w: 3 };

beforeAll(async () => {
  stack = await Stack.start({ ALPHAFLOPS_PUBLIC_READ: 'true' });
  stack.startWorker(await stack.enrol('bench-seventeen'));
  const { api } = stack;
  await until(
    async () => (await api.GET('/v1/workers')).data?.items ?? [],
    (workers) => workers.some(({ presence }) => presence === 'online'),
  );
  const { data: devices } = await api.GET('/v1/devices');
  const device = devices?.items[0];
  const target = { kind: 'devices' as const, deviceIds: [device?.id ?? ''] };
  const { data: campaign } = await api.POST('/v1/campaigns', {
    body: { name: 'secret-project', design: { name: 'networklike', seed: 1 }, budget: { specs: 60 }, target },
  });
  campaignId = campaign?.id ?? '';
  const path = { id: campaignId };
  const modelId = await until(
    async () => (await api.GET('/v1/campaigns/{id}/progress', { params: { path } })).data?.modelId,
    (id) => typeof id === 'string',
  );
  const reason = { body: { reason: 'asked by Zoe on rack 7' }, params: { path: { id: modelId ?? '' } } };
  model = (await api.POST('/v1/models/{id}/promote', reason)).data as Model;
  dataset = (await api.POST('/v1/datasets', { body: { filter: { campaignId } } })).data as Dataset;
  const { body } = await request(stack, 'GET', '/openapi.json', { token: null });
  const { paths } = body as { paths: Record<string, Record<string, Record<string, unknown>>> };
  routes = Object.entries(paths).flatMap(([place, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({
      ...{ method: method.toUpperCase(), path: place, access: String(operation['x-access']) },
      isPublicRead: operation['x-public-read'] === true,
    })),
  );
  const { data: workers } = await api.GET('/v1/workers');
  const worker = workers?.items[0];
  const { data: samples } = await api.GET('/v1/samples', { params: { query: { limit: 1 } } });
  const sample = samples?.items[0];
  const known = {
    'host name': hostname(),
    'field of a host name': 'hostname',
    address: '127.0.0.1',
    'worker id': worker?.id,
    'name of a worker': 'bench-seventeen',
    'public key': worker?.publicKey,
    'device id': device?.id,
    'uuid of a device': device?.uuid,
    token: stack.token,
    'campaign id': campaignId,
    'name of a campaign': 'secret-project',
    'sample id': sample?.id,
    signature: sample?.signature,
    'provenance id': sample?.provenanceId,
    'word of an operator': 'Zoe',
  };
  for (const [what, secret] of Object.entries(known)) {
    expect([what, secret]).toEqual([what, expect.stringMatching(/../)]);
    secrets.set(what, secret ?? '');
  }
}, 180_000);
afterAll(async () => {
  await stack.stop();
}, 60_000);

const nameOf = ({ method, path }: Route) => `${method} ${path}`;

/** Sends one request without a token, with existing ids and the format that the public may request. */
function ask({ method, path }: Route): Promise<Answer> {
  const id = path.includes('device-classes')
    ? model.deviceClassId
    : path.includes('datasets')
      ? dataset.id
      : path.includes('campaigns')
        ? campaignId
        : model.id;
  const place = path
    .replace('{id}', id ?? '')
    .replace('{other}', model.id ?? '')
    .replace('{platform}', 'linux-x64');
  const query = path.endsWith('/stream') ? '?format=csv&columns=all' : '';
  const prediction = { model: { kind: 'model', modelId: model.id }, layers: [LAYER] };
  return request(stack, method, place + query, {
    token: null,
    ...(method === 'POST' && { body: path === '/v1/predictions' ? prediction : {} }),
  });
}

/** Whether a text contains another text as a whole word, because host names may be short. */
function hasWord(text: string, word: string): boolean {
  const literal = word.replaceAll(/[^\w]/g, '\\$&');
  return new RegExp(`(?<!\\w)${literal}(?!\\w)`).test(text);
}

/** The routes that answer without a token; all others have to refuse with 401. */
async function answering(): Promise<Map<string, Answer>> {
  const found = new Map<string, Answer>();
  for (const route of routes) {
    const answer = await ask(route);
    if (answer.status !== 401) found.set(nameOf(route), answer);
  }
  return found;
}

describe('public reading', () => {
  it('answers exactly the listed routes, and none of the answers names a machine, a person or a campaign', async () => {
    expect(
      routes
        .filter(({ isPublicRead }) => isPublicRead)
        .map(nameOf)
        .sort(),
    ).toEqual(WHERE_ALLOWED);
    expect(
      routes
        .filter(({ access }) => access === 'public')
        .map(nameOf)
        .sort(),
    ).toEqual(ALWAYS);
    const found = await answering();
    expect([...found.keys()].sort()).toEqual([...ALWAYS, ...WHERE_ALLOWED].sort());
    for (const route of WHERE_ALLOWED) {
      const answer = found.get(route);
      expect([route, answer?.status]).toEqual([route, 200]);
      expect([route, answer?.text.length]).not.toEqual([route, 0]);
      const headers = JSON.stringify([...(answer?.headers ?? [])]);
      for (const [what, secret] of secrets) {
        const isIn = [answer?.text, headers].some((text) => hasWord(text ?? '', secret));
        expect([route, what, isIn]).toEqual([route, what, false]);
      }
    }
    expect(found.get('GET /v1/access')?.body).toEqual({ publicRead: true });
  });

  it('shows data to a token that it hides from the public', async () => {
    const full = await request(stack, 'GET', `/v1/models/${model.id ?? ''}`);
    expect(full.body).toMatchObject({ campaignId, statusReason: 'asked by Zoe on rack 7' });
    const whole = await request(stack, 'GET', `/v1/datasets/${dataset.id}`);
    expect(whole.body).toMatchObject({ filter: { campaignId }, workers: [{ id: secrets.get('worker id') }] });
    const { text } = await request(stack, 'GET', `/v1/datasets/${dataset.id}/provenance`);
    expect(hasWord(text, 'hostname')).toBe(true);
  });

  it('gives the samples of a data set as canonical CSV', async () => {
    const { text } = await request(stack, 'GET', `/v1/datasets/${dataset.id}/samples`, { token: null });
    const [header, ...lines] = text.trim().split('\n');
    expect(header).toMatch(/^batch,height,width,cin,cout,.*time_ms/);
    expect(header).not.toMatch(/_id|signature|host/);
    expect(lines).toHaveLength(dataset.rows);
  });

  it.each([
    ['samples as JSON lines', 'GET', '/v1/samples/stream', undefined],
    ['samples of a worker', 'GET', '/v1/samples/stream?format=csv&workerId=w', undefined],
    ['samples of a campaign', 'GET', '/v1/samples/stream?format=csv&campaignId=c', undefined],
    ['the rows of a data set with their ids', 'GET', `/v1/datasets/${'0'.repeat(64)}/rows`, undefined],
    [
      'predictions for a device',
      'POST',
      '/v1/predictions',
      { model: { kind: 'device', deviceId: 'd' }, layers: [LAYER] },
    ],
    [
      'network files',
      'POST',
      '/v1/predictions',
      { model: { kind: 'model', modelId: 'm' }, network: { file: '' } },
    ],
  ])('does not include %s', async (_what, method, path, body) => {
    expect((await request(stack, method, path, { token: null, body })).status).toBe(401);
  });

  it('refuses a wrong token, and does not allow caches to store its answers', async () => {
    expect((await request(stack, 'GET', '/v1/models', { token: 'af_admin_wrong' })).status).toBe(401);
    const headers = { 'Idempotency-Key': 'mine' };
    const body = { model: { kind: 'model', modelId: model.id }, layers: [LAYER] };
    expect((await request(stack, 'POST', '/v1/predictions', { token: null, body, headers })).status).toBe(
      401,
    );
  });

  it('is limited by address, and the limit does not apply to tokens', async () => {
    await stack.stopCoordinator();
    await stack.startCoordinator({ ALPHAFLOPS_PUBLIC_REQUESTS_PER_MINUTE: '20' });
    const statuses = async (path: string, times: number, token: string | null) => {
      const all: number[] = [];
      for (let at = 0; at < times; at++) all.push((await request(stack, 'GET', path, { token })).status);
      return all;
    };
    expect((await statuses('/v1/models', 21, null)).indexOf(429)).toBe(20);
    expect((await statuses('/v1/samples/stream?format=csv', 3, null)).indexOf(429)).toBe(2);
    expect(new Set(await statuses('/v1/models', 3, stack.token))).toEqual(new Set([200]));
  }, 60_000);

  it('is off by default', async () => {
    await stack.stopCoordinator();
    await stack.startCoordinator({ ALPHAFLOPS_PUBLIC_READ: '' });
    const found = await answering();
    expect([...found.keys()].sort()).toEqual(ALWAYS);
    expect(found.get('GET /v1/access')?.body).toEqual({ publicRead: false });
  }, 60_000);
});
