import { setImmediate as nextTurn, setTimeout } from 'node:timers/promises';
import type { QueueAccess } from '@alphaflops/queue';
import type { AccessStore, FleetStore } from '@alphaflops/store';
import { buildToken, buildWorker } from '@alphaflops/store/conformance';
import { Logger } from '@nestjs/common';
import { QueueGrantsService } from './queue-grants.service.js';

const worker = buildWorker({ id: 'worker-a', deviceIds: [] });
const token = buildToken({ kind: 'worker', workerId: 'worker-a' });

/** A deployment of one worker whose store is away as often as it is told. */
function deployment() {
  const granted: string[] = [];
  const state = { away: 0, asked: 0, reconnected: (): void => undefined };
  const access: Partial<QueueAccess> = {
    onReconnect: (listener) => (state.reconnected = listener),
    grant: (id) => Promise.resolve(void granted.push(id)),
  };
  const tokens: Partial<AccessStore> = {
    tokens: () => {
      state.asked += 1;
      return state.away-- > 0 ? Promise.reject(new Error('away')) : Promise.resolve([token]);
    },
    tokenByHash: () => Promise.resolve(token),
  };
  const fleet: Partial<FleetStore> = { worker: () => Promise.resolve(worker) };
  const service = new QueueGrantsService(access as QueueAccess, tokens as AccessStore, fleet as FleetStore);
  return { granted, state, service };
}

describe('Redis users of the workers', () => {
  const said: unknown[] = [];
  const say = (text: unknown) => void said.push(text);
  beforeAll(() => {
    Logger.overrideLogger({ log: say, warn: say, error: say });
  });

  it('are renewed after Redis was away, however often the store has to be asked', async () => {
    const { granted, state, service } = deployment();
    await service.onApplicationBootstrap();
    expect(granted).toEqual(['worker-a']);
    state.away = 2;
    state.reconnected();
    while (granted.length < 2) await setTimeout(20);
    expect(granted).toEqual(['worker-a', 'worker-a']);
    expect(said).toEqual([expect.stringContaining('trying on: Error: away')]);
  });

  it('are renewed once more when Redis was lost again meanwhile', async () => {
    const { granted, state, service } = deployment();
    await service.onApplicationBootstrap();
    state.reconnected();
    state.reconnected();
    while (granted.length < 3) await setTimeout(1);
    expect(granted).toHaveLength(3);
  });

  it('are not asked for any more when the process ends', async () => {
    const { state, service } = deployment();
    await service.onApplicationBootstrap();
    state.away = Infinity;
    state.reconnected();
    service.onApplicationShutdown();
    await nextTurn();
    const { asked } = state;
    await setTimeout(1_200);
    expect(state.asked).toBe(asked);
  });
});
