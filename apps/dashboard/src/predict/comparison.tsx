import { range, significant } from '../format.js';
import { shapeText } from '../shapes.js';
import { Bar, Panel, TableBox } from '../ui.js';
import type { PredictedFor } from './results.js';

/** Maximum number of layers that are compared individually. Beyond it, only totals are shown. */
const MAX_ROWS = 200;

/** One line for each device: the total of all layers. */
export function Totals(props: {
  shown: readonly PredictedFor[];
  images: number;
  /** Text about the missing parts of the totals; null if they are complete. */
  missing: string | null;
  /** Text about operations without a cost. */
  uncounted: string | null;
}) {
  const { shown, images, missing, uncounted } = props;
  const bound = missing === null ? '' : '≥ ';
  const slowest = Math.max(...shown.map(({ data }) => data.total.predictedMs));
  const hasEnergy = shown.some(({ data }) => data.total.energyMillijoules !== null);
  const intensity = shown.find(({ data }) => data.emissions)?.data.emissions?.gridIntensityGramsPerKwh;
  return (
    <Panel
      title="In total"
      unit={`one pass over all layers${images === 1 ? '' : `, a batch of ${images} images`}`}
    >
      {missing !== null && <p className="caution">{missing}</p>}
      <TableBox label="Totals by device class">
        <table>
          <thead>
            <tr>
              <th>Device class</th>
              <th className="number">Time, ms</th>
              <th className="number">Interval, ms</th>
              <th aria-label="Time as a bar" />
              {hasEnergy && (
                <>
                  <th className="number">Energy, mJ</th>
                  <th className="number">Interval, mJ</th>
                  <th className="number">Energy, Wh</th>
                </>
              )}
              {intensity !== undefined && (
                <>
                  <th className="number">CO2e of one image, g</th>
                  <th className="number">CO2e of a million, kg</th>
                </>
              )}
              <th className="number">Layers outside of the measured range</th>
            </tr>
          </thead>
          <tbody>
            {shown.map(({ id, data: { total, emissions } }) => (
              <tr key={id}>
                <td>{id}</td>
                <td className="number">
                  {bound}
                  {significant(total.predictedMs)}
                </td>
                <td className="number">{range(total.lowerMs, total.upperMs, 4)}</td>
                <td className="bar-cell narrow">
                  <Bar
                    share={total.predictedMs / slowest}
                    label={`${significant(total.predictedMs, 3)} ms of ${significant(slowest, 3)} ms`}
                  />
                </td>
                {hasEnergy && (
                  <>
                    <td className="number">
                      {total.energyMillijoules === null ? '–' : significant(total.energyMillijoules)}
                    </td>
                    <td className="number">
                      {range(total.lowerEnergyMillijoules, total.upperEnergyMillijoules, 4)}
                    </td>
                    <td className="number">
                      {total.energyWh === null ? '–' : significant(total.energyWh, 3)}
                    </td>
                  </>
                )}
                {intensity !== undefined && (
                  <>
                    <td className="number">
                      {emissions ? significant(emissions.perInference.grams, 3) : '–'}
                    </td>
                    <td className="number">
                      {emissions ? significant(emissions.perMillionInferences.kilograms, 3) : '–'}
                      {emissions && (
                        <small>
                          {range(
                            emissions.perMillionInferences.lowerKilograms,
                            emissions.perMillionInferences.upperKilograms,
                          )}
                        </small>
                      )}
                    </td>
                  </>
                )}
                <td className="number">{total.layersOutsideDomain}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </TableBox>
      {uncounted !== null && <p className="hint">{uncounted}</p>}
      {!hasEnergy && (
        <p className="hint">
          Energy is unknown: these models were fitted to samples without energy. A campaign with energy
          measures it, if the device counts it.
        </p>
      )}
    </Panel>
  );
}

/** Times of each layer; the fastest device of each layer is marked. */
export function Comparison({ shown, missing }: { shown: readonly PredictedFor[]; missing: string | null }) {
  const rows = (shown[0]?.rows ?? []).slice(0, MAX_ROWS);
  return (
    <Panel title="Side by side" unit="predicted time of each layer, ms; the fastest in bold">
      <TableBox label="Devices side by side">
        <table>
          <thead>
            <tr>
              <th>Layer</th>
              {shown.map(({ id }) => (
                <th key={id} className="number">
                  {id}, ms
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {rows.map(({ name, spec }, at) => {
              const times = shown.map(({ data }) => data.layers[at]?.predictedMs ?? NaN);
              return (
                <tr key={at}>
                  <td className="shape">
                    <span className="layer-name">{name ?? shapeText(spec)}</span>
                    {name !== null && <small>{shapeText(spec)}</small>}
                  </td>
                  {times.map((timeMs, column) => (
                    <td key={shown[column]?.id} className="number">
                      {timeMs === Math.min(...times) ? (
                        <strong>{significant(timeMs)}</strong>
                      ) : (
                        significant(timeMs)
                      )}
                    </td>
                  ))}
                </tr>
              );
            })}
          </tbody>
          <tfoot>
            <tr>
              <td>
                Total
                {missing !== null && <small className="caution">a lower bound: layers are missing</small>}
              </td>
              {shown.map(({ id, data }) => (
                <td key={id} className="number">
                  {missing === null ? '' : '≥ '}
                  {significant(data.total.predictedMs)}
                </td>
              ))}
            </tr>
          </tfoot>
        </table>
      </TableBox>
    </Panel>
  );
}
