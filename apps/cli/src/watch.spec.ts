import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type CampaignProgress, CampaignProgressSchema, OUTCOMES } from '@alphaflops/contracts';
import { watchCampaign } from './watch.js';

let server: Server;
afterEach(async () => {
  server.close();
  await once(server, 'close');
});

/** What is written of these events, sent by a server that ends its answer after them. */
async function written(events: readonly Partial<CampaignProgress>[]): Promise<string[]> {
  const sent = events.map((event) => `event: progress\ndata: ${JSON.stringify(full(event))}\n\n`);
  server = createServer((_, answer) => {
    answer.writeHead(200, { 'content-type': 'text/event-stream' });
    for (const text of sent) answer.write(text);
    answer.end();
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const out: string[] = [];
  const output = { isTTY: false, write: (text: string) => out.push(text) > 0 };
  await watchCampaign({ url, token: 't', fetch }, 'a', { output });
  return out.map((line) => line.trim());
}

function full(event: Partial<CampaignProgress>): CampaignProgress {
  const none = Object.fromEntries(OUTCOMES.map((outcome) => [outcome, 0]));
  return CampaignProgressSchema.parse({
    ...{ campaignId: 'a', state: 'running', plannedSlots: 20, totalSlots: 60, recordedSlots: 0 },
    ...{ outcomes: { ...none, ok: event.recordedSlots ?? 0 } },
    ...{ round: null, slotsPerSecond: null, remainingSeconds: null, waitingFor: null, modelId: null },
    ...{
      noiseFloor: null,
      targetError: null,
      learning: [],
      forecast: null,
      devices: [],
      stop: null,
      reason: '',
      ...event,
    },
  });
}

it('counts over all rounds of a campaign, and shows when the next one is chosen', async () => {
  const round = { number: 1, of: 3, isPlanningNext: false };
  expect(
    await written([
      { round, slotsPerSecond: 2, remainingSeconds: 30 },
      { round, recordedSlots: 2, slotsPerSecond: 2, remainingSeconds: 29 },
      { round: { ...round, isPlanningNext: true }, recordedSlots: 20, remainingSeconds: 20 },
      { round: { ...round, number: 2 }, recordedSlots: 20, plannedSlots: 40 },
      { round: { ...round, number: 3 }, recordedSlots: 60, plannedSlots: 60, state: 'completed' },
    ]),
  ).toEqual([
    '0/60 · round 1 of 3 · 2/s · 30 s left · nothing measured yet',
    '20/60 · round 1 of 3, choosing round 2 · 20 s left · 20 ok',
    '20/60 · round 2 of 3 · 20 ok',
    '60/60 · completed · 60 ok',
  ]);
});

it('reports why a campaign waits, and the state of a campaign without rounds', async () => {
  expect(
    await written([
      { waitingFor: 'no worker is online' },
      { recordedSlots: 60, state: 'fitting' },
      { recordedSlots: 60, state: 'failed' },
    ]),
  ).toEqual([
    '0/60 · waiting: no worker is online · nothing measured yet',
    '60/60 · fitting · 60 ok',
    '60/60 · failed · 60 ok',
  ]);
});
