import { useState } from 'react';
import { Link, useParams } from 'wouter';
import { type DeviceClass, nameOfClass, useDeviceClasses } from '../api.js';
import { LayerEditor } from '../layer-editor.js';
import { FIRST_LAYER, fromLink, linkOf } from '../layer-link.js';
import { completenessText } from '@alphaflops/networks/completeness';
import { NetworkSource } from '../predict/network-source.js';
import type { Network } from '../predict/read-network.js';
import { Results, type Row } from '../predict/results.js';
import { COORDINATOR } from '../session.js';
import { Busy, Copy, Empty, Field, PageHead, Panel, Trouble } from '../ui.js';

/** Device classes side by side. */
const MAX_COMPARED = 4;

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
  const [typed, setTyped] = useState(start.layers.length > 0 ? start.layers : [FIRST_LAYER]);
  const [network, setNetwork] = useState<Network | null>(null);
  const [intensity, setIntensity] = useState(start.gridIntensityGramsPerKwh);
  const known = start.classIds.filter((id) => classes.some((each) => each.id === id));
  const [classIds, setClassIds] = useState(
    known.length > 0 ? known : classes.slice(0, 1).map(({ id }) => id),
  );
  const choose = (id: string, isOn: boolean) => {
    setClassIds((before) =>
      isOn ? [...before, id].slice(-MAX_COMPARED) : before.filter((other) => other !== id),
    );
  };
  const rows: readonly Row[] = network?.layers ?? typed.map((spec) => ({ name: null, spec, note: null }));
  const missing = network === null || network.completeness.isComplete ? null : completenessText(network);
  const asked = {
    classIds,
    inferencesPerPass: network?.batch ?? start.inferencesPerPass,
    gridIntensityGramsPerKwh: intensity,
  };
  const link = () => `${COORDINATOR}/#/predict/${linkOf({ ...asked, layers: rows.map(({ spec }) => spec) })}`;
  return (
    <>
      <PageHead
        title="Predict"
        lead="What layers or a whole network cost on a device, by the model that is served for it. α-FLOPs are FLOPs as that device feels them."
        actions={<Copy label="Copy link" text={link} />}
      />
      <NetworkSource network={network} onChange={setNetwork} />
      {network === null && <LayerEditor layers={typed} onChange={setTyped} />}
      <Panel title="Device classes" unit={`up to ${MAX_COMPARED} side by side`}>
        <div className="fields">
          {classes.map((each) => (
            <label key={each.id} className="check">
              <input
                type="checkbox"
                checked={classIds.includes(each.id)}
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
          <Field
            label="Grid intensity, gCO2e per kWh"
            hint="for CO2e, where a device counts energy: 30 is mostly nuclear or hydro, 700 mostly coal"
          >
            <input
              type="number"
              min={0}
              placeholder="not asked for"
              value={intensity ?? ''}
              onChange={({ target: { value } }) => {
                setIntensity(Number(value) > 0 ? Number(value) : null);
              }}
            />
          </Field>
        </div>
      </Panel>
      <Results asked={asked} rows={rows} missing={missing} />
    </>
  );
}
