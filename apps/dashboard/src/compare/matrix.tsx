import { percent, significant } from '../format.js';
import type { PredictedFor } from '../predict/results.js';
import { Bar, Panel, TableBox } from '../ui.js';
import { sharesOf } from './winners.js';

/** A class is marked as the faster one from this factor on. */
const CLEARLY = 1.01;

/** Speed-up of each device class over each other one. */
export function SpeedUps({ shown, missing }: { shown: readonly PredictedFor[]; missing: string | null }) {
  return (
    <Panel title="Speed-up" unit="time of the class in the column divided by time of the class in the row">
      {missing !== null && <p className="caution">{missing}</p>}
      <TableBox label="Speed-up">
        <table className="matrix">
          <thead>
            <tr>
              <th>Device class</th>
              {shown.map(({ id }) => (
                <th key={id} className="number" scope="col">
                  than {id}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {shown.map(({ id, data: { total } }) => (
              <tr key={id}>
                <th scope="row">{id}</th>
                {shown.map((other) => {
                  const factor = other.data.total.predictedMs / total.predictedMs;
                  return (
                    <td key={other.id} className={`number ${factor > CLEARLY ? 'faster' : ''}`}>
                      {other.id === id ? '–' : `× ${significant(factor, 3)}`}
                    </td>
                  );
                })}
              </tr>
            ))}
          </tbody>
        </table>
      </TableBox>
      <p className="hint">Read a row: this class is × times as fast as the class of the column.</p>
    </Panel>
  );
}

/** Which layers each class runs the fastest. */
export function Wins({ shown }: { shown: readonly PredictedFor[] }) {
  const layers = shown[0]?.data.layers ?? [];
  const times = shown.map(({ data }) => data.layers.map(({ predictedMs }) => predictedMs));
  const shares = sharesOf(
    times,
    layers.map(({ macs }) => macs),
  );
  const bestMs = layers.reduce((sum, _, at) => sum + Math.min(...times.map((row) => row[at] ?? NaN)), 0);
  return (
    <Panel title="Where each one wins" unit={`of ${layers.length} layers, the least predicted time`}>
      <TableBox label="Where each one wins">
        <table>
          <thead>
            <tr>
              <th>Device class</th>
              <th className="number">Fastest for layers</th>
              <th className="number">Their share of multiply-adds, %</th>
              <th aria-label="Share as a bar" />
            </tr>
          </thead>
          <tbody>
            {shown.map(({ id }, at) => (
              <tr key={id}>
                <td>{id}</td>
                <td className="number">{shares[at]?.layers}</td>
                <td className="number">{(100 * (shares[at]?.macsShare ?? 0)).toFixed(1)}</td>
                <td className="bar-cell">
                  <Bar share={shares[at]?.macsShare ?? 0} label={percent(shares[at]?.macsShare)} />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </TableBox>
      <p className="hint">
        If each layer runs on its fastest class, the layers take {significant(bestMs)} ms, without the time to
        move data between devices.
      </p>
    </Panel>
  );
}
