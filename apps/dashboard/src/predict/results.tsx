import type { ConvSpec } from '@alphaflops/conv';
import { keepPreviousData, useQueries } from '@tanstack/react-query';
import { useState } from 'react';
import type { Prediction, Predictions } from '../api.js';
import { count, percent, range, scaled, significant } from '../format.js';
import { answered, useSession } from '../session.js';
import { shapeText, SHAPES_READ } from '../shapes.js';
import { Bar, Copy, Panel, TableBox, Trouble } from '../ui.js';
import { Comparison, Totals } from './comparison.js';
import { csvOf } from './csv.js';
import { TrainingPanel } from './training.js';
import { type PredictionRequest, isWholeLayer } from '../layer-link.js';

/** A layer for display. */
export interface Row {
  readonly name: string | null;
  readonly spec: ConvSpec;
  readonly note: string | null;
}

/** Predictions of the served model of one device class. */
export interface PredictedFor {
  readonly id: string;
  readonly data: Predictions;
  readonly rows: readonly Row[];
}

/** Number of rows drawn at first, because a page with thousands of rows scrolls slowly. */
const ROWS_AT_FIRST = 200;

export function Results(props: {
  requested: Omit<PredictionRequest, 'layers'>;
  rows: readonly Row[];
  /** Text about the missing parts of the totals; null if they are complete. */
  missing: string | null;
  /** Text about operations without a cost. */
  uncounted: string | null;
}) {
  const { requested, rows, missing, uncounted } = props;
  const { api } = useSession();
  const { classIds, inferencesPerPass, gridIntensityGramsPerKwh: intensity } = requested;
  const layers = rows.map(({ spec }) => spec);
  const isWhole = layers.every(isWholeLayer);
  const results = useQueries({
    queries: classIds.map((deviceClassId) => ({
      queryKey: ['predictions', deviceClassId, layers, inferencesPerPass, intensity],
      queryFn: async () => {
        const body = {
          model: { kind: 'device-class' as const, deviceClassId },
          ...{ layers, inferencesPerPass },
          ...(intensity !== null && { gridIntensityGramsPerKwh: intensity }),
        };
        return answered((await api.POST('/v1/predictions', { body })).data);
      },
      enabled: isWhole && layers.length > 0,
      placeholderData: keepPreviousData,
      staleTime: 60_000,
    })),
  });
  const shown = results.flatMap(({ data }, at) =>
    data?.layers.length === rows.length ? [{ id: classIds[at] ?? '', data, rows }] : [],
  );
  return (
    <>
      {results.map(({ error }, at) => (
        <Trouble key={classIds[at]} error={error} />
      ))}
      {shown.length > 0 && (
        <Totals shown={shown} images={inferencesPerPass} missing={missing} uncounted={uncounted} />
      )}
      {shown.length > 1 && <Comparison shown={shown} missing={missing} />}
      {shown.map((one) => (
        <ResultTable key={one.id} predicted={one} missing={missing} />
      ))}
      {isWhole &&
        shown.map(({ id }) => (
          <TrainingPanel
            key={id}
            deviceClassId={id}
            layers={layers}
            batch={inferencesPerPass}
            gridIntensityGramsPerKwh={intensity}
            missing={missing}
          />
        ))}
    </>
  );
}

function ResultTable({ predicted, missing }: { predicted: PredictedFor; missing: string | null }) {
  const { id, data, rows } = predicted;
  const [isAll, setAll] = useState(false);
  const { total } = data;
  const hasEnergy = total.energyMillijoules !== null;
  const drawn = isAll ? data.layers : data.layers.slice(0, ROWS_AT_FIRST);
  return (
    <Panel
      title={`Layers on ${id}`}
      unit={`by the model ${data.modelId}`}
      actions={<Copy label="Copy as CSV" text={() => csvOf(predicted)} />}
    >
      <TableBox label={`Predictions by ${data.modelId}`}>
        <table>
          <thead>
            <tr>
              <th>Layer</th>
              <th className="number">Work, MAC</th>
              <th className="number">α</th>
              <th className="number">α-FLOPs</th>
              <th className="number">Time, ms</th>
              <th className="number">Interval, ms</th>
              {hasEnergy && <th className="number">Energy, mJ</th>}
              <th className="number">Share of time, %</th>
              <th aria-label="Share as a bar" />
            </tr>
          </thead>
          <tbody>
            {drawn.map((one, at) => (
              <LayerRow key={at} row={rows[at]} one={one} total={total} />
            ))}
          </tbody>
          <tfoot>
            <tr>
              <td>
                Total of {count(rows.length)}
                {missing !== null && <small className="caution">a lower bound: layers are missing</small>}
              </td>
              <td className="number">{scaled(total.macs)}</td>
              <td className="number">{significant(total.alphaFlops / total.flops, 3)}</td>
              <td className="number">{scaled(total.alphaFlops)}</td>
              <td className="number">
                {missing === null ? '' : '≥ '}
                {significant(total.predictedMs)}
              </td>
              <td className="number">{range(total.lowerMs, total.upperMs, 4)}</td>
              {hasEnergy && <td className="number">{significant(total.energyMillijoules ?? NaN)}</td>}
              <td className="number">100</td>
              <td />
            </tr>
          </tfoot>
        </table>
      </TableBox>
      <p className="hint">{SHAPES_READ}</p>
      {drawn.length < rows.length && (
        <button
          type="button"
          onClick={() => {
            setAll(true);
          }}
        >
          Show all {count(rows.length)} layers
        </button>
      )}
    </Panel>
  );
}

function LayerRow({
  row,
  one,
  total,
}: {
  row: Row | undefined;
  one: Prediction;
  total: Predictions['total'];
}) {
  const share = one.predictedMs / total.predictedMs;
  const shape = row === undefined ? '' : shapeText(row.spec);
  const name = row?.name ?? null;
  return (
    <tr>
      <td className="shape">
        <span className="layer-name">{name ?? shape}</span>
        {name !== null && <small>{shape}</small>}
        {row !== undefined && row.note !== null && <small>{row.note}</small>}
        {!one.inDomain && <small className="caution">outside of the measured range</small>}
      </td>
      <td className="number">{scaled(one.macs)}</td>
      <td className="number">{significant(one.alpha, 3)}</td>
      <td className="number">{scaled(one.alphaFlops)}</td>
      <td className="number">{significant(one.predictedMs)}</td>
      <td className="number">{range(one.lowerMs, one.upperMs)}</td>
      {total.energyMillijoules !== null && (
        <td className="number">{significant(one.energyMillijoules ?? NaN, 3)}</td>
      )}
      <td className="number">{(100 * share).toFixed(1)}</td>
      <td className="bar-cell narrow">
        <Bar share={share} label={percent(share)} />
      </td>
    </tr>
  );
}
