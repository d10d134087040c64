import type { components } from '@alphaflops/api-client';
import { useQueries, useQuery, type UseQueryResult } from '@tanstack/react-query';
import { answered, useSession } from './session.js';

type Schemas = components['schemas'];
export type Campaign = Schemas['Campaign'];
export type CampaignRequest = Schemas['CampaignRequestInput'];
export type CampaignPreview = Schemas['CampaignPreview'];
export type Device = Schemas['Device'];
export type DeviceClass = Schemas['DeviceClass'];
export type Layer = Schemas['ConvSpecInput'];
export type Metrics = Schemas['Metrics'];
export type Model = Schemas['Model'];
export type Prediction = Schemas['Prediction'];
export type Predictions = Schemas['Predictions'];
export type Sample = Schemas['Sample'];
export type Worker = Schemas['Worker'];

/** Lists of the fleet are short. A longer list is cut here, and the pages report this. */
export const FLEET_LIMIT = 1000;
const FLEET_EVERY_MS = 5_000;

export function useWorkers(everyMs = FLEET_EVERY_MS): UseQueryResult<Worker[]> {
  const { api, token } = useSession();
  return useQuery({
    queryKey: ['workers'],
    enabled: token !== null,
    queryFn: async () =>
      answered((await api.GET('/v1/workers', { params: { query: { limit: FLEET_LIMIT } } })).data).items,
    refetchInterval: everyMs,
  });
}

export function useDevices(): UseQueryResult<Device[]> {
  const { api, token } = useSession();
  return useQuery({
    queryKey: ['devices'],
    enabled: token !== null,
    queryFn: async () =>
      answered((await api.GET('/v1/devices', { params: { query: { limit: FLEET_LIMIT } } })).data).items,
    refetchInterval: 4 * FLEET_EVERY_MS,
  });
}

export function useDeviceClasses(): UseQueryResult<DeviceClass[]> {
  const { api } = useSession();
  return useQuery({
    queryKey: ['device-classes'],
    queryFn: async () =>
      answered((await api.GET('/v1/device-classes', { params: { query: { limit: FLEET_LIMIT } } })).data)
        .items,
    refetchInterval: 4 * FLEET_EVERY_MS,
  });
}

/** Newest first. Documents of models are large, so request only a few. */
export function useModels(limit: number, deviceClassId?: string): UseQueryResult<Model[]> {
  const { api } = useSession();
  return useQuery({
    queryKey: ['models', deviceClassId ?? 'all', limit],
    queryFn: async () => {
      const query = { limit, ...(deviceClassId !== undefined && { deviceClassId }) };
      return answered((await api.GET('/v1/models', { params: { query } })).data).items;
    },
    refetchInterval: 60_000,
  });
}

/** The newest model of each class with a model. */
export function useLatestModels(ids: readonly string[]): ReadonlyMap<string, Model> {
  const { api } = useSession();
  const results = useQueries({
    queries: ids.map((id) => ({
      queryKey: ['latest-model', id],
      queryFn: async () => {
        const path = { params: { query: { deviceClassId: id, limit: 1 } } };
        return answered((await api.GET('/v1/models', path)).data).items[0] ?? null;
      },
      refetchInterval: 60_000,
    })),
  });
  return new Map(results.flatMap(({ data }, at) => (data ? [[ids[at] ?? '', data] as const] : [])));
}

export function nameOfClass({ sku, executor }: Pick<DeviceClass, 'sku' | 'executor'>): string {
  return `${sku} · ${executor}`;
}

/** Held-out errors of the chosen form. */
export function heldOutOf(model: Model): Metrics | null {
  return model.forms.find(({ form }) => form === model.chosenForm)?.heldOut ?? null;
}
