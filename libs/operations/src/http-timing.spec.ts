import { EventEmitter } from 'node:events';
import type { ApiRequest } from '@alphaflops/http';
import type { Response } from 'express';
import { Registry } from 'prom-client';
import { HttpTiming } from './http-timing.js';

let registry: Registry;
let timing: HttpTiming;
beforeEach(() => {
  registry = new Registry();
  timing = new HttpTiming(registry);
});

/** One request, answered unless `statusCode` is null. */
function handle(request: { method: string; route?: { path: string } }, statusCode: number | null): void {
  const response = Object.assign(new EventEmitter(), { statusCode });
  let isHandled = false;
  timing.time(request as unknown as ApiRequest, response as unknown as Response, () => (isHandled = true));
  expect(isHandled).toBe(true);
  if (statusCode !== null) response.emit('finish');
}
async function counted(): Promise<Record<string, number>> {
  const found = await registry.getSingleMetric('alphaflops_http_request_seconds')?.get();
  const counts = (found?.values as { metricName?: string; labels: object; value: number }[]).filter(
    ({ metricName }) => metricName?.endsWith('_count'),
  );
  return Object.fromEntries(counts.map(({ labels, value }) => [Object.values(labels).join(' '), value]));
}

it('requests are counted by method, route and status: an id does not start a new series', async () => {
  const route = { path: '/v1/models/:id' };
  for (const status of [200, 200, 404]) handle({ method: 'GET', route }, status);
  handle({ method: 'POST', route: { path: '/v1/predictions' } }, 200);
  expect(await counted()).toEqual({
    'GET /v1/models/:id 200': 2,
    'GET /v1/models/:id 404': 1,
    'POST /v1/predictions 200': 1,
  });
});

it('requests without a route share one series, and those without an answer are not counted', async () => {
  handle({ method: 'GET' }, 404);
  handle({ method: 'GET' }, 404);
  handle({ method: 'GET', route: { path: '/v1/audit' } }, null);
  expect(await counted()).toEqual({ 'GET none 404': 2 });
});
