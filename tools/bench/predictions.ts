import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { macs, type ConvSpec } from '@alphaflops/conv';
import { fitModel } from '@alphaflops/models';
import { plan } from '@alphaflops/planning';
import { buildDeviceClass, buildProvenance, buildWorker } from '@alphaflops/store/conformance';
import { openSqliteStores } from '@alphaflops/store-sqlite';
import autocannon from 'autocannon';
import { end, Stack } from '../../test/support/stack.js';
import type { Benchmark, Row, Scale } from './benchmark.js';
import { interleave } from './figures.js';

const CLASS = 'bench-class';
const LAYERS = 100;
const CONNECTIONS = 50;

/** Predictions of a boosted model, the choice of `auto`, against a Nest route with a constant answer. */
export const predictions: Benchmark = {
  what: 'POST /v1/predictions under load',
  run: async (scale) => {
    const settings = { ALPHAFLOPS_REQUESTS_PER_MINUTE: '1000000000', ALPHAFLOPS_LOG_LEVEL: 'error' };
    const stack = await Stack.prepare(settings);
    try {
      await publish(join(stack.directory, 'data'), scale === 'full' ? 2_000 : 200);
      await stack.startCoordinator();
      return [await row(stack, scale)];
    } finally {
      await stack.stop();
    }
  },
};

async function row(stack: Stack, scale: Scale): Promise<Row> {
  const url = `${stack.url}/v1/predictions`;
  const headers = { authorization: `Bearer ${stack.token}`, 'content-type': 'application/json' };
  const layers = specs(LAYERS, 2);
  const body = JSON.stringify({ model: { kind: 'device-class', deviceClassId: CLASS }, layers });
  const answered = await fetch(url, { method: 'POST', headers, body });
  const answer = await answered.text();
  if (!answered.ok) throw new Error(`no predictions: ${answer}`);

  const bare = fork(resolve(import.meta.dirname, 'bare-nest.ts'), [answer], {
    env: { ...process.env, TSX_TSCONFIG_PATH: resolve(import.meta.dirname, 'tsconfig.json') },
  });
  try {
    const ended = once(bare, 'exit').then(() => Promise.reject(new Error('the bare route ended')));
    const [bareUrl] = (await Promise.race([once(bare, 'message'), ended])) as [string];
    ended.catch(() => undefined);
    const p99 = (target: string) => async () => {
      const duration = scale === 'full' ? 6 : 1;
      const { latency, non2xx, errors } = await autocannon({
        ...{ url: target, method: 'POST', headers, body, connections: CONNECTIONS, duration },
      });
      if (non2xx + errors > 0) throw new Error(`${target}: ${non2xx} refused, ${errors} failed`);
      return latency.p99;
    };
    const sides = { ours: p99(url), theirs: p99(bareUrl) };
    if (scale === 'full') await interleave(1, sides);
    const figures = await interleave(scale === 'full' ? 5 : 1, sides);
    return {
      what: `\`POST /v1/predictions\`, ${LAYERS} layers, p99 under ${CONNECTIONS} connections`,
      comparedWith: 'a bare Nest route that answers the same bytes',
      unit: 'ms',
      ...figures,
      judge: 'ratio',
      must: 3,
      goal: 1.5,
      note: `a boosted model of 2,000 shapes; ${(answer.length / 1000).toFixed(0)} kB an answer; the load comes from a third process (autocannon).`,
    };
  } finally {
    await end(bare, 'SIGTERM');
  }
}

/** Publishes a model of artificial times for a device class. */
async function publish(dataDirectory: string, shapes: number): Promise<void> {
  const samples = specs(shapes, 1).map((spec, index) => ({
    spec,
    timeMs: (0.01 + macs(spec) / 1e10) * (1 + 0.1 * Math.sin(index)),
  }));
  const origin = { digest: '0'.repeat(64), codeVersion: '0', createdAt: new Date().toISOString() };
  const model = fitModel(samples, { form: 'boosted', device: { smCount: 132 }, origin });
  await mkdir(dataDirectory, { recursive: true });
  const stores = await openSqliteStores(join(dataDirectory, 'alphaflops.sqlite'));
  const { id, record } = buildProvenance();
  await stores.fleet.putWorker(buildWorker(), [], [buildDeviceClass({ id: CLASS })], new Map([[id, record]]));
  await stores.models.publish({ ...model, deviceClassId: CLASS });
  await stores.close();
}

function specs(count: number, seed: number): ConvSpec[] {
  return [...plan({ name: 'networklike', seed }, { specs: count }).specs];
}
