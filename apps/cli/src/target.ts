import { ApiError, type ApiClient } from '@alphaflops/api-client';
import type { Target } from '@alphaflops/contracts';
import { CliError } from './error.js';
import { itemsOf } from './pages.js';

/** `auto`: the one device class that is online. */
const AUTO = 'auto';

/**
 * What a campaign measures on: a device class, devices, or `auto`.
 * @throws CliError `bad-input` when `auto` is not clear; ApiError for unknown ids
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
      `${JSON.stringify(id)} is neither a device class nor a device; "alphaflops device list" has them.`,
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
  const workers = await itemsOf((query) => api.GET('/v1/workers', { params: { query } }));
  const devices = await itemsOf((query) => api.GET('/v1/devices', { params: { query } }));
  const online = workers.filter(
    ({ presence, desiredState }) => presence === 'online' && desiredState === 'active',
  );
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
