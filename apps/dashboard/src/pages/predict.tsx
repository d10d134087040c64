import { keepPreviousData, useQueries } from '@tanstack/react-query';
import { useState } from 'react';
import { Link, useParams } from 'wouter';
import { type DeviceClass, nameOfClass, type Predictions, useDeviceClasses } from '../api.js';
import { count, percent, scaled, significant } from '../format.js';
import { LayerEditor } from '../layer-editor.js';
import { type EditedLayer, FIRST_LAYER, fromLink, linkOf, requestLayers } from '../layer-link.js';
import { answered, COORDINATOR, useSession } from '../session.js';
import { shapeText } from '../shapes.js';
import { Bar, Busy, Copy, Empty, PageHead, Panel, TableBox, Trouble } from '../ui.js';

/** Device classes side by side. */
const MOST_COMPARED = 4;

export default function PredictPage() {
  const { what = '' } = useParams();
  const classes = useDeviceClasses();
  if (classes.data === undefined) {
    return classes.error === null ? <Busy what="device classes" /> : <Trouble error={classes.error} />;
  }
  if (classes.data.length === 0) {
    return (
      <>
        <PageHead title="Predict" />
        <Empty title="There is no model to predict with">
          <p>
            <Link href="/workers">Add a node</Link>, then <Link href="/campaigns/new">run a campaign</Link> on
            it.
          </p>
        </Empty>
      </>
    );
  }
  return <Predictor key={what} what={what} classes={classes.data} />;
}

function Predictor({ what, classes }: { what: string; classes: readonly DeviceClass[] }) {
  const [start] = useState(() => fromLink(what));
  const [layers, setLayers] = useState<readonly EditedLayer[]>(
    start.layers.length > 0 ? start.layers : [FIRST_LAYER],
  );
  const known = start.classIds.filter((id) => classes.some((each) => each.id === id));
  const [ids, setIds] = useState(known.length > 0 ? known : classes.slice(0, 1).map(({ id }) => id));
  const choose = (id: string, isOn: boolean) => {
    setIds((before) =>
      isOn ? [...before, id].slice(-MOST_COMPARED) : before.filter((other) => other !== id),
    );
  };
  return (
    <>
      <PageHead
        title="Predict"
        lead="What layers cost by the model served for a device class: α-FLOPs are FLOPs as that device feels them."
        actions={<Copy label="Copy link" text={() => `${COORDINATOR}/#/predict/${linkOf(ids, layers)}`} />}
      />
      <LayerEditor layers={layers} onChange={setLayers} />
      <Panel title="Device classes" unit={`up to ${MOST_COMPARED} side by side`}>
        <div className="fields">
          {classes.map((each) => (
            <label key={each.id} className="check">
              <input
                type="checkbox"
                checked={ids.includes(each.id)}
                onChange={({ target }) => {
                  choose(each.id, target.checked);
                }}
              />
              <span>
                {nameOfClass(each)}
                <small>{each.id}</small>
              </span>
            </label>
          ))}
        </div>
      </Panel>
      <Results ids={ids} layers={layers} />
    </>
  );
}

function Results({ ids, layers }: { ids: readonly string[]; layers: readonly EditedLayer[] }) {
  const { api } = useSession();
  const isWhole = layers.every((layer) => Object.values(layer).every((value) => value !== 0));
  const results = useQueries({
    queries: ids.map((deviceClassId) => ({
      queryKey: ['predictions', deviceClassId, layers],
      queryFn: async () => {
        const body = {
          model: { kind: 'device-class' as const, deviceClassId },
          layers: requestLayers(layers),
        };
        return answered((await api.POST('/v1/predictions', { body })).data);
      },
      enabled: isWhole,
      placeholderData: keepPreviousData,
      staleTime: 60_000,
    })),
  });
  const shown = results.flatMap(({ data }, at) =>
    data?.layers.length === layers.length ? [{ id: ids[at] ?? '', data }] : [],
  );
  return (
    <>
      {results.map(({ error }, at) => (
        <Trouble key={ids[at]} error={error} />
      ))}
      {shown.length > 1 && <Comparison shown={shown} layers={layers} />}
      {shown.map(({ id, data }) => (
        <ResultTable key={id} id={id} predictions={data} layers={layers} />
      ))}
    </>
  );
}

interface Shown {
  id: string;
  data: Predictions;
}

function Comparison({ shown, layers }: { shown: readonly Shown[]; layers: readonly EditedLayer[] }) {
  return (
    <Panel title="Side by side" unit="predicted time, ms">
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
            {layers.map((layer, at) => (
              <tr key={at}>
                <td>{shapeText(layer)}</td>
                {shown.map(({ id, data }) => (
                  <td key={id} className="number">
                    {significant(data.layers[at]?.predictedMs ?? NaN)}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
          <tfoot>
            <tr>
              <td>Total</td>
              {shown.map(({ id, data }) => (
                <td key={id} className="number">
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

function ResultTable(props: { id: string; predictions: Predictions; layers: readonly EditedLayer[] }) {
  const { id, predictions, layers } = props;
  const { total } = predictions;
  return (
    <Panel
      title={predictions.modelId}
      unit={`served for ${id}`}
      actions={<Copy label="Copy as CSV" text={() => csvOf(predictions, layers)} />}
    >
      <TableBox label={`Predictions by ${predictions.modelId}`}>
        <table>
          <thead>
            <tr>
              <th>Layer</th>
              <th className="number">Work, MAC</th>
              <th className="number">α</th>
              <th className="number">α-FLOPs</th>
              <th className="number">Time, ms</th>
              <th className="number">Interval, ms</th>
              <th className="number">Share, %</th>
              <th aria-label="Share as a bar" />
            </tr>
          </thead>
          <tbody>
            {predictions.layers.map((one, at) => (
              <tr key={at}>
                <td>
                  {shapeText(layers[at] ?? FIRST_LAYER)}
                  {!one.inDomain && <small>outside of what was measured</small>}
                </td>
                <td className="number">{scaled(one.macs)}</td>
                <td className="number">{significant(one.alpha, 3)}</td>
                <td className="number">{scaled(one.alphaFlops)}</td>
                <td className="number">{significant(one.predictedMs)}</td>
                <td className="number">
                  {one.lowerMs === null || one.upperMs === null
                    ? '–'
                    : `${significant(one.lowerMs, 3)} – ${significant(one.upperMs, 3)}`}
                </td>
                <td className="number">{((100 * one.predictedMs) / total.predictedMs).toFixed(1)}</td>
                <td className="bar-cell">
                  <Bar
                    share={one.predictedMs / total.predictedMs}
                    label={percent(one.predictedMs / total.predictedMs)}
                  />
                </td>
              </tr>
            ))}
          </tbody>
          <tfoot>
            <tr>
              <td>Total of {count(layers.length)}</td>
              <td className="number">{scaled(total.macs)}</td>
              <td className="number">{significant(total.alphaFlops / total.flops, 3)}</td>
              <td className="number">{scaled(total.alphaFlops)}</td>
              <td className="number">{significant(total.predictedMs)}</td>
              <td />
              <td className="number">100</td>
              <td />
            </tr>
          </tfoot>
        </table>
      </TableBox>
    </Panel>
  );
}

const CSV_INPUT = ['batch', 'height', 'width', 'cin', 'cout', 'kernel_h', 'kernel_w', 'stride', 'groups', 'dtype'] as const; // prettier-ignore
const CSV_OUTPUT = [
  'macs',
  'flops',
  'predicted_ms',
  'lower_ms',
  'upper_ms',
  'alpha',
  'alpha_flops',
  'in_domain',
];

/** The columns of `alphaflops predict`. */
function csvOf(predictions: Predictions, layers: readonly EditedLayer[]): string {
  const rows = predictions.layers.map((one, at) => {
    const layer = layers[at] ?? FIRST_LAYER;
    const { macs, flops, predictedMs, lowerMs, upperMs, alpha, alphaFlops, inDomain } = one;
    const numbers = [macs, flops, predictedMs, lowerMs ?? '', upperMs ?? '', alpha, alphaFlops];
    return [...CSV_INPUT.map((name) => layer[name]), ...numbers, inDomain].join();
  });
  return [[...CSV_INPUT, ...CSV_OUTPUT].join(), ...rows, ''].join('\n');
}
