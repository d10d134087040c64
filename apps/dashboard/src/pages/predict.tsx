import { useState } from 'react';
import { Link, useParams } from 'wouter';
import { type DeviceClass, useDeviceClasses } from '../api.js';
import { ClassPicker } from '../class-picker.js';
import { LayerEditor } from '../layer-editor.js';
import { FIRST_LAYER, fromLink, linkOf } from '../layer-link.js';
import { completenessText } from '@alphaflops/networks/completeness';
import { uncountedText } from '../predict/examples.js';
import { NetworkSource } from '../predict/network-source.js';
import type { Network } from '../predict/read-network.js';
import { Results, type Row } from '../predict/results.js';
import { COORDINATOR, SignedInOnly } from '../session.js';
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
        <Empty title="No model to predict with yet">
          <SignedInOnly>
            <p>
              <Link href="/workers">Add a node</Link>, then <Link href="/campaigns/new">run a campaign</Link>{' '}
              on it.
            </p>
          </SignedInOnly>
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
  const [classIds, setClassIds] = useState<readonly string[]>(
    known.length > 0 ? known : classes.slice(0, 1).map(({ id }) => id),
  );
  const rows: readonly Row[] = network?.layers ?? typed.map((spec) => ({ name: null, spec, note: null }));
  const uncounted = network === null ? null : uncountedText(network);
  const missing = network === null || network.completeness.isComplete ? null : completenessText(network);
  const requested = {
    classIds,
    inferencesPerPass: network?.batch ?? start.inferencesPerPass,
    gridIntensityGramsPerKwh: intensity,
  };
  const link = () =>
    `${COORDINATOR}/#/predict/${linkOf({ ...requested, layers: rows.map(({ spec }) => spec) })}`;
  return (
    <>
      <PageHead
        title="Predict"
        lead="The cost of layers or of a whole network on a device, predicted by its served model. α-FLOPs are FLOPs, weighted by their cost on that device."
        actions={<Copy label="Copy link" text={link} />}
      />
      <NetworkSource network={network} onChange={setNetwork} />
      {network === null && <LayerEditor layers={typed} onChange={setTyped} />}
      <Panel title="Device classes" unit={`up to ${MAX_COMPARED} side by side`}>
        <div className="fields">
          <ClassPicker classes={classes} chosen={classIds} most={MAX_COMPARED} onChange={setClassIds} />
          <Field
            label="Grid intensity, gCO2e per kWh"
            hint="for CO2e, if a device counts energy: 30 is mostly nuclear or hydro, 700 mostly coal"
          >
            <input
              type="number"
              min={0}
              placeholder="no emissions"
              value={intensity ?? ''}
              onChange={({ target: { value } }) => {
                setIntensity(Number(value) > 0 ? Number(value) : null);
              }}
            />
          </Field>
        </div>
      </Panel>
      <Results requested={requested} rows={rows} missing={missing} uncounted={uncounted} />
    </>
  );
}
