/** The effects that a misbehaving worker can have with the calls about leases. */
import { once, setMaxListeners } from 'node:events';
import { connect, type Socket } from 'node:net';
import { type Lease, RESULT_HEADERS, type Sample } from '@alphaflops/contracts';
import { forged, Intruder, refOf } from './support/intruder.js';
import { request } from './support/requests.js';
import { Stack, until } from './support/stack.js';

const SLOTS = 2;

let stack: Stack;
let mine: Intruder;
let targetId: string;
beforeAll(async () => {
  stack = await Stack.start({ ALPHAFLOPS_BATCH_SPECS: String(SLOTS) });
  mine = await Intruder.enrol(stack, 'mine');
  targetId = await classOf(mine);
}, 60_000);
afterAll(async () => {
  await stack.stop();
}, 60_000);

async function classOf({ deviceId }: Intruder): Promise<string> {
  const { body } = await request(stack, 'GET', `/v1/devices`);
  const { items } = body as { items: { id: string; deviceClassId: string }[] };
  return items.find(({ id }) => id === deviceId)?.deviceClassId ?? '';
}

async function createCampaign(batches: number): Promise<string> {
  const { body } = await request(stack, 'POST', '/v1/campaigns', {
    body: {
      name: 'watched',
      design: { name: 'networklike' },
      repeats: 0,
      budget: { specs: SLOTS * batches },
      target: { kind: 'device-class', deviceClassId: targetId },
    },
  });
  return (body as { id: string }).id;
}

async function samplesOf(campaignId: string): Promise<Sample[]> {
  const { body } = await request(stack, 'GET', `/v1/samples?campaignId=${campaignId}`);
  return (body as { items: Sample[] }).items;
}

async function cancel(campaignId: string): Promise<void> {
  await request(stack, 'POST', `/v1/campaigns/${campaignId}/cancel`, { body: { reason: 'test' } });
}

const resultOf = (lease: Lease<'measure'>, by = mine) =>
  forged(lease.payload, lease.attempt, by, by.privateKey);

const isReady = async () => (await request(stack, 'GET', '/readyz')).status === 200;

describe('calls about leases', () => {
  it('are refused for another worker, another device, another token, and a batch without a lease', async () => {
    const other = await Intruder.enrol(stack, 'other');
    const campaignId = await createCampaign(1);
    const lease = await mine.take(targetId);
    const ref = refOf(lease);
    const result = await resultOf(lease);
    const forgedToken = { ...ref, token: `${mine.id}.${'A'.repeat(22)}` };
    const ofOther = { ...ref, token: `${other.id}.${ref.token.slice(-22)}` };
    const elsewhere = { ...ref, targetId: 'somebody-else' };
    const statuses = async (name: string, who: Intruder, lease: object, as?: string) => [
      name,
      (await who.call('leases/renew', { leases: [lease] }, as)).status,
      (await who.call('leases/return', { lease }, as)).status,
      (await who.call('leases/fail', { lease, reason: 'no reason' }, as)).status,
      (await who.send(lease, result.seal, result.body, as)).status,
    ];
    // The answer to a renewal lists the lost leases.
    expect(await statuses('token of nobody', mine, forgedToken)).toEqual([
      'token of nobody',
      ...[200, 409, 409, 409],
    ]);
    expect((await mine.call('leases/renew', { leases: [forgedToken] })).body).toEqual({
      lost: [forgedToken.token],
    });
    expect(await statuses('another worker’s', other, ref)).toEqual(['another worker’s', 403, 403, 403, 403]);
    expect(await statuses('own prefix', other, ofOther)).toEqual(['own prefix', 200, 409, 409, 409]);
    expect(await statuses('in another name', other, ref, mine.id)).toEqual([
      'in another name',
      ...[403, 403, 403, 403],
    ]);
    expect(await statuses('another target', mine, elsewhere)).toEqual(['another target', 403, 403, 403, 403]);
    expect(await mine.call('leases', { jobs: ['measure'], targetIds: ['somebody-else'] })).toMatchObject({
      status: 403,
      body: { code: 'not-your-device' },
    });
    for (const malformed of [{}, { ...ref, id: 'a:b' }, { ...ref, token: 'x' }, { ...ref, attempt: 0 }, 7]) {
      expect((await mine.send(malformed, result.seal, result.body)).status).toBe(400);
    }
    expect((await mine.send(ref, { ...result.seal, more: 1 }, result.body)).status).toBe(400);
    // After all these calls, the worker still has the lease.
    expect((await mine.call('leases/renew', { leases: [ref] })).body).toEqual({ lost: [] });
    expect((await mine.bring(ref, result)).status).toBe(204);
    expect(await samplesOf(campaignId)).toHaveLength(SLOTS);
  }, 60_000);

  it('store nothing twice: a result that is sent again is acknowledged again, at any attempt and in parallel', async () => {
    const campaignId = await createCampaign(2);
    const lease = await mine.take(targetId);
    const result = await resultOf(lease);
    const answers = await Promise.all(Array.from({ length: 5 }, () => mine.bring(refOf(lease), result)));
    expect(answers.map(({ status }) => status)).toEqual([204, 204, 204, 204, 204]);
    expect((await mine.bring(refOf(lease), result)).status).toBe(204);
    expect(await samplesOf(campaignId)).toHaveLength(SLOTS);
    // It is not valid for another batch.
    const next = await mine.take(targetId);
    expect(await mine.bring(refOf(next), result)).toMatchObject({
      status: 409,
      body: { code: 'result-refused' },
    });
    expect(await samplesOf(campaignId)).toHaveLength(SLOTS);
    await cancel(campaignId);
  }, 60_000);

  it('of a lease that has expired are taken while nobody else has begun the batch, and refused after that', async () => {
    const campaignId = await createCampaign(1);
    const first = await mine.take(targetId);
    // No worker renews it. The stalled batch goes to the next request for work, which comes from the same worker here.
    const second = await mine.take(targetId);
    expect(second).toMatchObject({ id: first.id, attempt: first.attempt + 1 });
    expect((await mine.call('leases/renew', { leases: [refOf(first), refOf(second)] })).body).toEqual({
      lost: [first.token],
    });
    expect(await mine.bring(refOf(first), await resultOf(first))).toMatchObject({
      status: 409,
      body: { code: 'lease-lost' },
    });
    expect((await mine.bring(refOf(second), await resultOf(second))).status).toBe(204);
    // It lost the race, and its result is acknowledged.
    expect((await mine.bring(refOf(first), await resultOf(first))).status).toBe(204);
    expect(await samplesOf(campaignId)).toHaveLength(SLOTS);
  }, 60_000);

  it('end before the body where the result is too large or has no length, and where one worker sends too many', async () => {
    const campaignId = await createCampaign(1);
    const lease = await mine.take(targetId);
    const { seal } = await resultOf(lease);
    const head = (length: string) =>
      [
        `POST /v1/workers/${mine.id}/leases/result HTTP/1.1`,
        `Host: 127.0.0.1`,
        `Authorization: Bearer ${mine.token}`,
        'Content-Type: application/octet-stream',
        `${RESULT_HEADERS.lease}: ${JSON.stringify(refOf(lease))}`,
        `${RESULT_HEADERS.seal}: ${JSON.stringify(seal)}`,
        length,
        '',
        '',
      ].join('\r\n');
    expect(await answerTo(head(`Content-Length: ${17 * 1024 * 1024}`))).toMatch(/^HTTP\/1\.1 413 /);
    expect(await answerTo(head('Transfer-Encoding: chunked'))).toMatch(/^HTTP\/1\.1 411 /);

    // Missing bodies delay only their sender.
    const slow = Array.from({ length: 8 }, () => opened(head('Content-Length: 1000')));
    const ninth = await until(
      () => answerTo(head('Content-Length: 1000')),
      (text) => text.startsWith('HTTP/1.1 429 '),
    );
    expect(ninth).toContain('too-many-results');
    const other = await Intruder.enrol(stack, 'patient');
    expect((await other.call('heartbeat', { activity: 'idle' })).status).toBe(200);
    expect(await isReady()).toBe(true);
    for (const socket of slow) socket.destroy();
    const answer = await until(
      async () => mine.bring(refOf(lease), await resultOf(lease)),
      ({ status }) => status !== 429,
    );
    expect(answer.status).toBe(204);
    expect(await samplesOf(campaignId)).toHaveLength(SLOTS);
  }, 60_000);

  it('that request work are limited per worker: ten thousand at the same time do not affect other workers', async () => {
    const body = { jobs: ['measure'], targetIds: [targetId] };
    const counts = new Map<number, number>();
    let left = 10_000;
    const leaving = new AbortController();
    setMaxListeners(0, leaving.signal);
    // Only this number at the same time: waiting requests stay open, and the client repeats the others.
    const lane = async (): Promise<void> => {
      while (left > 0) {
        left -= 1;
        const answer = await fetch(`${stack.url}/v1/workers/${mine.id}/leases`, {
          method: 'POST',
          headers: { authorization: `Bearer ${mine.token}`, 'content-type': 'application/json' },
          body: JSON.stringify(body),
          signal: leaving.signal,
        }).catch(() => null);
        if (answer === null) return;
        await answer.arrayBuffer();
        counts.set(answer.status, (counts.get(answer.status) ?? 0) + 1);
      }
    };
    const lanes = Array.from({ length: 100 }, lane);
    await until(
      () => Promise.resolve(left),
      (open) => open <= 0,
    );
    expect(counts.get(429) ?? 0).toBeGreaterThan(9_800);
    expect(await isReady()).toBe(true);
    const other = await Intruder.enrol(stack, 'beside');
    const campaignId = await createCampaign(20);
    // The waiting requests get work, and another worker gets its share.
    const lease = await other.take(targetId);
    expect((await other.bring(refOf(lease), await resultOf(lease, other))).status).toBe(204);
    leaving.abort();
    await Promise.all(lanes);
    expect([...counts.keys()].filter((status) => ![200, 204, 429].includes(status))).toEqual([]);
    await cancel(campaignId);
  }, 120_000);
});

/** Opens a connection and sends this text. */
function opened(text: string): Socket {
  const socket = connect(Number(new URL(stack.url).port), '127.0.0.1');
  socket.on('error', () => undefined);
  socket.write(text);
  return socket;
}

/** Returns the answer to a request whose body never arrives. */
async function answerTo(text: string): Promise<string> {
  const socket = opened(text);
  const [piece] = (await once(socket, 'data')) as [Buffer];
  socket.destroy();
  return piece.toString();
}
