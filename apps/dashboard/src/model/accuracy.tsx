import { useQuery } from '@tanstack/react-query';
import { useMemo } from 'react';
import { heldOutOf, type Model } from '../api.js';
import { Chart } from '../chart.js';
import { count, percent } from '../format.js';
import type { Point } from '../samples.js';
import { answered, useSession } from '../session.js';
import { Bar, Panel, TableBox, Trouble } from '../ui.js';
import { byDecade, byKernel, type ErrorRow, judged, samplesToJudge } from './errors.js';

/** Predicted against measured values of shapes that the model had not seen. */
export function PredictedFigure(props: { cost: Pick<Model, 'heldOut'>; quantity: 'time' | 'energy' }) {
  const { cost, quantity } = props;
  const unit = quantity === 'time' ? 'ms' : 'mJ';
  const points = cost.heldOut?.points;
  const layers = useMemo(() => {
    const pairs = (points ?? []).map(
      ([, measured, predicted]) => [Number(measured), Number(predicted)] as const,
    );
    const all = pairs.flat();
    const ends = [Math.min(...all), Math.max(...all)];
    return [
      { kind: 'dashed' as const, name: 'equal', color: '--muted', xs: ends, ys: ends },
      {
        kind: 'points' as const,
        name: 'held-out shapes',
        color: '--series-1',
        xs: pairs.map(([measured]) => measured),
        ys: pairs.map(([, predicted]) => predicted),
      },
    ];
  }, [points]);
  if (points === undefined || points.length === 0) return null;
  return (
    <Panel title={`Predicted against measured ${quantity}`} unit={`${unit}, held-out shapes`}>
      <Chart
        label={`Predicted against measured ${quantity}`}
        x={`measured ${quantity}, ${unit}`}
        y={`predicted ${quantity}, ${unit}`}
        layers={layers}
      />
    </Panel>
  );
}

/** Errors by kernel size and by decade of time. */
export function ErrorTables({ model, points }: { model: Model; points: readonly Point[] }) {
  const { api } = useSession();
  const modelId = model.id ?? '';
  const chosen = useMemo(() => samplesToJudge(model, points), [model, points]);
  const predictions = useQuery({
    queryKey: ['judged', modelId, points.length],
    queryFn: async () => {
      const layers = chosen.points.map(({ spec }) => spec);
      const body = { model: { kind: 'model' as const, modelId }, layers };
      return answered((await api.POST('/v1/predictions', { body })).data).layers;
    },
    enabled: chosen.points.length > 0,
    staleTime: Infinity,
  });
  const rows = useMemo(
    () => judged(chosen.points, predictions.data ?? [], chosen.heldOut),
    [chosen, predictions.data],
  );
  if (chosen.points.length === 0) return null;
  const source =
    chosen.heldOut === null
      ? `${count(chosen.points.length)} of this class’s samples, most of which were used in the fit: on new shapes errors are larger (median ${percent(heldOutOf(model)?.medianApe)} held out)`
      : `${count(chosen.points.length)} samples, each predicted without its own shape`;
  return (
    <Panel
      title="Error by kernel size and by decade of time"
      unit="median of |predicted − measured| / measured, %"
    >
      <Trouble error={predictions.error} />
      {predictions.data !== undefined && (
        <div className="columns">
          <ErrorTable label="Kernel, elements" rows={byKernel(rows)} />
          <ErrorTable label="Measured time, ms" rows={byDecade(rows)} />
        </div>
      )}
      <p className="hint">
        From {source}. “In interval”: share inside the published {percent(model.interval.coverage, 0)}{' '}
        interval.
      </p>
    </Panel>
  );
}

function ErrorTable({ label, rows }: { label: string; rows: readonly ErrorRow[] }) {
  const most = Math.max(...rows.map(({ medianApe }) => medianApe), 1e-9);
  return (
    <TableBox label={`Error by ${label}`}>
      <table>
        <thead>
          <tr>
            <th>{label}</th>
            <th className="number">Samples</th>
            <th className="number">Error, %</th>
            <th aria-label="Error as a bar" />
            <th className="number">In interval, %</th>
          </tr>
        </thead>
        <tbody>
          {rows.map(({ name, n, medianApe, coverage }) => (
            <tr key={name}>
              <td>{name}</td>
              <td className="number">{count(n)}</td>
              <td className="number">{(100 * medianApe).toFixed(1)}</td>
              <td className="bar-cell">
                <Bar share={medianApe / most} label={percent(medianApe)} />
              </td>
              <td className="number">{coverage === null ? '–' : (100 * coverage).toFixed(0)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </TableBox>
  );
}
