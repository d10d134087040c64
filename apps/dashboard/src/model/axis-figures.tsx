import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { useMemo } from 'react';
import { Link } from 'wouter';
import type { Model } from '../api.js';
import type { Layer } from '../chart-paint.js';
import { Chart } from '../chart.js';
import type { Point } from '../samples.js';
import { answered, SignedInOnly, useSession } from '../session.js';
import { shapeText } from '../shapes.js';
import { Panel, Trouble } from '../ui.js';
import { along, AXES, type Axis, AXIS_NAMES, longestSeries, valueOf } from './axes.js';

const MILLISECONDS = 'time, ms';

/** The paper's figures from this device's data: time along one dimension, with the others constant. */
export function AxisFigures({ model, points }: { model: Model; points: readonly Point[] }) {
  return (
    <Panel title="Time against each input dimension" unit="ms, the other dimensions constant">
      <div className="columns">
        {AXES.map((axis) => (
          <AxisFigure key={axis} axis={axis} model={model} points={points} />
        ))}
      </div>
      <p className="hint">
        Points are measured times. Lines are predictions of the chosen form ({model.chosenForm}), the paper’s
        α and raw FLOPs. A dimension without points has no measured series in these data.{' '}
        <SignedInOnly>
          <Link href="/campaigns/new/paper-series">The design paper-series</Link> measures one for each
          dimension.
        </SignedInOnly>
      </p>
    </Panel>
  );
}

function AxisFigure({ axis, model, points }: { axis: Axis; model: Model; points: readonly Point[] }) {
  const series = useMemo(() => longestSeries(points, axis, model.domain), [points, axis, model.domain]);
  const curves = useCurves(model, axis, series);
  const layers = useMemo((): Layer[] => {
    if (series === null) return [];
    const { measured, values } = series;
    const lines = curves.data ?? [];
    const measuredLayer: Layer = {
      kind: 'points',
      name: 'measured',
      color: '--series-1',
      xs: measured.map(({ spec }) => valueOf(spec, axis)),
      ys: measured.map(({ timeMs }) => timeMs),
    };
    return [
      ...(measured.length === 0 ? [] : [measuredLayer]),
      ...kernelChanges(values, lines[0]),
      ...lines.map(({ form, timesMs }, at) => ({
        kind: at === 0 ? ('line' as const) : ('dashed' as const),
        name: form,
        color: `--series-${at + 2}`,
        xs: values,
        ys: timesMs,
      })),
    ];
  }, [series, curves.data, axis]);
  if (series === null) return null;
  return (
    <div>
      <h3>{AXIS_NAMES[axis]}</h3>
      <p className="hint">{heldText(series.base, axis)}</p>
      <Trouble error={curves.error} />
      <Chart
        label={`Time against ${AXIS_NAMES[axis]}`}
        x={AXIS_NAMES[axis]}
        y={MILLISECONDS}
        layers={layers}
        height={230}
      />
    </div>
  );
}

/** The base shape with a placeholder for the varied dimension. */
function heldText(base: Point['spec'], axis: Axis): string {
  const open = shapeText(along(base, axis, NaN)).replaceAll('NaN', 'x');
  return `Varied: x. Held: ${open}`;
}

interface Curve {
  form: string;
  timesMs: number[];
  /** The assumed kernel at each value; null if the form uses no kernels. */
  kernels: (string | null)[];
}

/** Points of the first curve at which the assumed kernel changes. */
function kernelChanges(values: readonly number[], curve: Curve | undefined): Layer[] {
  const at = [...values.keys()].filter((i) => {
    const [before, here] = [curve?.kernels[i - 1] ?? null, curve?.kernels[i] ?? null];
    return before !== null && here !== null && before !== here;
  });
  if (at.length === 0) return [];
  return [
    {
      kind: 'points',
      name: 'another kernel from here on',
      color: '--series-5',
      xs: at.map((i) => values[i] ?? NaN),
      ys: at.map((i) => curve?.timesMs[i] ?? NaN),
    },
  ];
}

function useCurves(model: Model, axis: Axis, series: ReturnType<typeof longestSeries>) {
  const { api } = useSession();
  const modelId = model.id ?? '';
  const forms = [...new Set([model.chosenForm, 'alpha', 'flops'])].filter((name) =>
    model.forms.some(({ form }) => form === name),
  );
  return useQuery({
    queryKey: ['curves', modelId, axis, series?.base, series?.values],
    queryFn: (): Promise<Curve[]> => {
      const layers = (series?.values ?? []).map((value) => along(series?.base as Point['spec'], axis, value));
      return Promise.all(
        forms.map(async (form) => {
          const body = { model: { kind: 'model' as const, modelId }, form, layers };
          const { layers: predicted } = answered((await api.POST('/v1/predictions', { body })).data);
          return {
            form,
            timesMs: predicted.map(({ predictedMs }) => predictedMs),
            kernels: predicted.map(({ kernel }) => kernel?.name ?? null),
          };
        }),
      );
    },
    enabled: series !== null,
    placeholderData: keepPreviousData,
    staleTime: Infinity,
  });
}
