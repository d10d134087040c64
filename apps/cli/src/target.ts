import { setTimeout } from 'node:timers/promises';
import { ApiError, type ApiClient } from '@alphaflops/api-client';
import type { Target, Worker } from '@alphaflops/contracts';
import { CliError } from './error.js';
import { itemsOf } from './pages.js';

/** `auto`: the one device class that is online. */
const AUTO = 'auto';

/** A worker that has just started, such as the one of `up`, reports to the coordinator within one or two seconds. */
const ONLINE_WITHIN_MS = 5_000;
const LOOK_EVERY_MS = 100;

/**
 * The target of a campaign: a device class, devices, or `auto`. * @throws CliError `bad-input` if `auto` is ambiguous;
 * ApiError for unknown ids
 */
export async function targetOf(ids: readonly string[], api: ApiClient): Promise<Target> {
  const [id = AUTO, ...more] = ids;
  if (more.length > 0) return { kind: 'devices', deviceIds: [...ids] };
  const deviceClassId = id === AUTO ? await onlyOnlineClass(api) : id;
  if (id === AUTO || (await isDeviceClass(deviceClassId, api)))
    return { kind: 'device-class', deviceClassId };
  await api.GET('/v1/devices/{id}', { params: { path: { id } } }).catch((error: unknown) => {
    if (!(error instanceof ApiError) || error.status !== 404) throw error;
    throw new CliError(
      'bad-input',
      `${JSON.stringify(id)} is neither a device class nor a device; "alphaflops device list" shows them.`,
    );
  });
  return { kind: 'devices', deviceIds: [id] };
}

async function isDeviceClass(id: string, api: ApiClient): Promise<boolean> {
  try {
    await api.GET('/v1/device-classes/{id}', { params: { path: { id } } });
    return true;
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) return false;
    throw error;
  }
}

async function onlyOnlineClass(api: ApiClient): Promise<string> {
  const online = await onlineWorkers(api);
  const devices = await itemsOf((query) => api.GET('/v1/devices', { params: { query } }));
  const ids = new Set(online.flatMap(({ deviceIds }) => deviceIds));
  const [only, ...others] = new Set(
    devices.filter(({ id }) => ids.has(id)).map((device) => device.deviceClassId),
  );
  if (only === undefined) {
    throw new CliError(
      'failed',
      'No worker is online. Start one ("alphaflops worker run"), or name a --target.',
    );
  }
  if (others.length > 0) {
    throw new CliError(
      'bad-input',
      `Several device classes are online; name one with --target: ${[only, ...others].join(', ')}.`,
    );
  }
  return only;
}

/** The workers that take batches. If there are workers but none is online, the function waits for one. */
async function onlineWorkers(api: ApiClient): Promise<Pick<Worker, 'deviceIds'>[]> {
  const endMs = Date.now() + ONLINE_WITHIN_MS;
  for (;;) {
    const workers = await itemsOf((query) => api.GET('/v1/workers', { params: { query } }));
    const active = workers.filter(({ desiredState }) => desiredState === 'active');
    const online = active.filter(({ presence }) => presence === 'online');
    if (online.length > 0 || active.length === 0 || Date.now() > endMs) return online;
    await setTimeout(LOOK_EVERY_MS);
  }
}
