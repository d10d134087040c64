import type { ConvSpec } from '@alphaflops/conv';
import { useMemo } from 'react';
import type { Layer } from '../chart-paint.js';
import { Chart } from '../chart.js';
import { count } from '../format.js';
import { type Axis, AXIS_NAMES } from '../model/axes.js';
import { shapeText } from '../shapes.js';
import { Panel, TableBox, Trouble } from '../ui.js';
import { axisValues } from './axis-values.js';
import { QUANTITIES, type Quantity } from './compare-link.js';
import { type Curves, useCurves, valueIn } from './compared.js';
import { runsOf } from './winners.js';

const NAMES: Readonly<Record<Quantity, readonly [button: string, axis: string]>> = {
  alpha: ['α', 'α'],
  time: ['Time', 'time, ms'],
  energy: ['Energy', 'energy, mJ'],
};
const NO_CURVES: readonly Curves[] = [];

interface AxisChartsProps {
  readonly classIds: readonly string[];
  readonly base: ConvSpec;
  readonly quantity: Quantity;
  readonly onQuantity: (quantity: Quantity) => void;
}

/** The paper's figures for several device classes: one line for each class along each input dimension. */
export function AxisCharts({ classIds, base, quantity, onQuantity }: AxisChartsProps) {
  const { found, errors } = useCurves(classIds, base);
  const curves = found.length === 0 ? NO_CURVES : found;
  const axes = useMemo(() => axisValues(base), [base]);
  const hasEnergy = curves.some(({ shapes }) =>
    shapes.some(({ energyMillijoules }) => energyMillijoules !== null),
  );
  const shown = quantity === 'energy' && !hasEnergy ? 'alpha' : quantity;
  return (
    <>
      <Panel
        title={`${NAMES[shown][0]} along each input dimension`}
        unit={`of ${shapeText(base)}, the other dimensions constant`}
        actions={QUANTITIES.filter((each) => each !== 'energy' || hasEnergy).map((each) => (
          <button
            key={each}
            type="button"
            aria-pressed={each === shown}
            onClick={() => {
              onQuantity(each);
            }}
          >
            {NAMES[each][0]}
          </button>
        ))}
      >
        {errors.map((error) => (
          <Trouble key={error.message} error={error} />
        ))}
        <div className="columns">
          {axes.map(({ axis, values }, at) => (
            <AxisChart
              key={axis}
              {...{ axis, values, curves, classIds, quantity: shown }}
              skip={axes.slice(0, at).reduce((sum, before) => sum + before.values.length, 0)}
            />
          ))}
        </div>
        <p className="hint">
          A dashed line is outside of the fitted range of the class's model. A jump is another kernel or
          algorithm that the library chooses there.
        </p>
      </Panel>
      <Panel
        title="Fastest along each dimension"
        unit="values at which each device class needs the least time"
      >
        <TableBox label="Fastest along each dimension">
          <table>
            <thead>
              <tr>
                <th>Dimension</th>
                <th>Fastest, over the values of the dimension</th>
              </tr>
            </thead>
            <tbody>
              {axes.map(({ axis, values }, at) => {
                const skip = axes.slice(0, at).reduce((sum, before) => sum + before.values.length, 0);
                const costs = curves.map(({ shapes }) =>
                  values.map((_, place) => valueIn('time', shapes[skip + place])),
                );
                return (
                  <tr key={axis}>
                    <td>{AXIS_NAMES[axis]}</td>
                    <td>
                      {runsOf(values, costs)
                        .map(({ from, to, winner }) => {
                          const range = from === to ? count(from) : `${count(from)} – ${count(to)}`;
                          return `${range}: ${winner === null ? 'no single one' : (curves[winner]?.id ?? '')}`;
                        })
                        .join('; ')}
                    </td>
                  </tr>
                );
              })}
            </tbody>
          </table>
        </TableBox>
      </Panel>
    </>
  );
}

interface AxisChartProps {
  readonly axis: Axis;
  readonly values: readonly number[];
  readonly curves: readonly Curves[];
  readonly classIds: readonly string[];
  readonly quantity: Quantity;
  /** Shapes of the axes before this one. */
  readonly skip: number;
}

function AxisChart({ axis, values, curves, classIds, quantity, skip }: AxisChartProps) {
  const layers = useMemo(
    () =>
      curves.flatMap(({ id, shapes }): Layer[] => {
        const color = `--series-${1 + classIds.indexOf(id)}`;
        const here = values.map((_, at) => shapes[skip + at]);
        const all = here.map((each) => valueIn(quantity, each));
        if (all.every(Number.isNaN)) return [];
        const isInside = (at: number) => here[at]?.inDomain !== false;
        const inside = all.map((value, at) => (isInside(at) ? value : NaN));
        // Where the domain ends, the two lines share a point.
        const outside = all.map((value, at) => ([at - 1, at, at + 1].every(isInside) ? NaN : value));
        return [
          { kind: 'line', name: id, color, xs: values, ys: inside },
          {
            kind: 'dashed',
            name: `${id}, outside of its data`,
            color,
            xs: values,
            ys: outside,
            isExtra: true,
          },
        ];
      }),
    [curves, classIds, values, quantity, skip],
  );
  return (
    <div>
      <h3>{AXIS_NAMES[axis]}</h3>
      <Chart
        label={`${NAMES[quantity][0]} along ${AXIS_NAMES[axis]}`}
        x={AXIS_NAMES[axis]}
        y={NAMES[quantity][1]}
        layers={layers}
        height={260}
      />
    </div>
  );
}
