import type { ConvSpec } from '@alphaflops/conv';
import { keepPreviousData, useQueries } from '@tanstack/react-query';
import type { Prediction, Predictions } from '../api.js';
import type { Row } from '../predict/results.js';
import { answered, useSession } from '../session.js';
import type { Quantity } from './compare-link.js';
import { shapesAlong } from './axis-values.js';

/** Predictions of one device class for all shapes along the axes. */
export interface Curves {
  readonly id: string;
  readonly shapes: readonly Prediction[];
}

/** The predictions that have arrived for each class, and the errors of the others. */
export interface Answers<T> {
  readonly found: readonly T[];
  readonly errors: readonly Error[];
  readonly isPending: boolean;
}

/** Predictions of the same layers for each device class, in their order. */
export function usePredictions(
  classIds: readonly string[],
  rows: readonly Row[],
  images: number,
): Answers<{ id: string; data: Predictions; rows: readonly Row[] }> {
  const { api } = useSession();
  const layers = rows.map(({ spec }) => spec);
  return useQueries({
    queries: classIds.map((deviceClassId) => ({
      queryKey: ['predictions', deviceClassId, layers, images, null],
      queryFn: async () => {
        const model = { kind: 'device-class' as const, deviceClassId };
        const body = { model, layers, inferencesPerPass: images };
        return answered((await api.POST('/v1/predictions', { body })).data);
      },
      enabled: layers.length > 0,
      placeholderData: keepPreviousData,
      staleTime: 60_000,
    })),
    combine: (results) => ({
      found: results.flatMap(({ data }, at) =>
        data?.layers.length === rows.length ? [{ id: classIds[at] ?? '', data, rows }] : [],
      ),
      errors: different(results.map(({ error }) => error)),
      isPending: results.some(({ isPending, fetchStatus }) => isPending && fetchStatus !== 'idle'),
    }),
  });
}

/** Predictions along every axis of a shape, one request for each device class. */
export function useCurves(classIds: readonly string[], base: ConvSpec | null): Answers<Curves> {
  const { api } = useSession();
  return useQueries({
    queries: classIds.map((deviceClassId) => ({
      queryKey: ['along', deviceClassId, base],
      queryFn: async (): Promise<Curves> => {
        const model = { kind: 'device-class' as const, deviceClassId };
        const layers = base === null ? [] : shapesAlong(base);
        const { data } = await api.POST('/v1/predictions', { body: { model, layers } });
        return { id: deviceClassId, shapes: answered(data).layers };
      },
      enabled: base !== null,
      staleTime: 60_000,
    })),
    combine: (results) => ({
      found: results.flatMap(({ data }) => data ?? []),
      errors: different(results.map(({ error }) => error)),
      isPending: results.some(({ isPending, fetchStatus }) => isPending && fetchStatus !== 'idle'),
    }),
  });
}

/** Each message once, because an invalid layer gives the same error for all classes. */
function different(errors: readonly (Error | null)[]): Error[] {
  const known = errors.filter((error) => error !== null);
  return known.filter(({ message }, at) => known.findIndex((other) => other.message === message) === at);
}

/** NaN if the model has no value. */
export function valueIn(quantity: Quantity, prediction: Prediction | undefined): number {
  if (prediction === undefined) return NaN;
  if (quantity === 'alpha') return prediction.alpha;
  return quantity === 'time' ? prediction.predictedMs : (prediction.energyMillijoules ?? NaN);
}
