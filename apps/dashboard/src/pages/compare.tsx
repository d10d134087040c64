import { macs } from '@alphaflops/conv';
import { completenessText } from '@alphaflops/networks/completeness';
import { useEffect, useMemo, useState } from 'react';
import { useParams } from 'wouter';
import { type DeviceClass, useDeviceClasses } from '../api.js';
import { ClassPicker } from '../class-picker.js';
import { AxisCharts } from '../compare/axis-charts.js';
import { type Compared, compareLinkOf, fromCompareLink } from '../compare/compare-link.js';
import { usePredictions } from '../compare/compared.js';
import { SpeedUps, Wins } from '../compare/matrix.js';
import { LayerEditor } from '../layer-editor.js';
import { FIRST_LAYER, isWholeLayer } from '../layer-link.js';
import { Totals } from '../predict/comparison.js';
import { EXAMPLES, uncountedText, useExample } from '../predict/examples.js';
import type { Row } from '../predict/results.js';
import { COORDINATOR } from '../session.js';
import { Busy, Copy, Empty, Field, PageHead, Panel, Trouble } from '../ui.js';

const MAX_CLASSES = 8;
const TYPED = '';
const NO_ROWS: readonly Row[] = [];

export default function ComparePage() {
  const { what = '' } = useParams();
  const classes = useDeviceClasses();
  if (classes.data === undefined) {
    return classes.error === null ? <Busy what="device classes" /> : <Trouble error={classes.error} />;
  }
  if (classes.data.length === 0) {
    return (
      <>
        <PageHead title="Compare" />
        <Empty title="No device class to compare yet">
          <p>Device classes appear here when workers have joined.</p>
        </Empty>
      </>
    );
  }
  return <Comparer key={what} what={what} classes={classes.data} />;
}

/** The state in the address, with default values for missing parts. */
function startOf(what: string, classes: readonly DeviceClass[]): Compared {
  const parsed = fromCompareLink(what);
  const known = parsed.classIds.filter((id) => classes.some((each) => each.id === id));
  return {
    ...parsed,
    classIds: (known.length > 0 ? known : classes.map(({ id }) => id)).slice(0, MAX_CLASSES),
    layers: parsed.layers.length > 0 ? parsed.layers : [FIRST_LAYER],
    exampleId: EXAMPLES.find(({ id }) => id === parsed.exampleId)?.id ?? null,
  };
}

function Comparer({ what, classes }: { what: string; classes: readonly DeviceClass[] }) {
  const [compared, setCompared] = useState(() => startOf(what, classes));
  const { classIds, layers, exampleId, images, quantity } = compared;
  const change = (changes: Partial<Compared>) => {
    setCompared((before) => ({ ...before, ...changes }));
  };
  const example = EXAMPLES.find(({ id }) => id === exampleId) ?? null;
  const network = useExample(example, images);
  const rows = useMemo(
    () =>
      example === null ? layers.map((spec) => ({ name: null, spec, note: null })) : network.data?.layers,
    [example, layers, network.data],
  );
  const link = compareLinkOf(example === null ? compared : { ...compared, layers: [] });
  // The address always contains the state of the page. The router gets an event only when the user opens a link.
  useEffect(() => {
    history.replaceState(history.state, '', `#/compare/${link}`);
  }, [link]);
  return (
    <>
      <PageHead
        title="Compare"
        lead="The same layers or network on several device classes, each with its served model."
        actions={<Copy label="Copy link" text={() => `${COORDINATOR}/#/compare/${link}`} />}
      />
      <Panel title="Device classes" unit={`up to ${MAX_CLASSES}`}>
        <div className="fields">
          <ClassPicker
            classes={classes}
            chosen={classIds}
            most={MAX_CLASSES}
            onChange={(ids) => {
              change({ classIds: ids });
            }}
          />
        </div>
      </Panel>
      <Panel title="Comparison">
        <div className="fields">
          <Field label="Layers or network">
            <select
              value={exampleId ?? TYPED}
              onChange={({ target }) => {
                change({ exampleId: target.value === TYPED ? null : target.value, images: 1 });
              }}
            >
              <option value={TYPED}>Layers below</option>
              {EXAMPLES.map(({ id, name }) => (
                <option key={id} value={id}>
                  {name}
                </option>
              ))}
            </select>
          </Field>
          {example !== null && (
            <Field label="Batch size">
              <input
                type="number"
                min={1}
                value={images}
                onChange={({ target }) => {
                  change({ images: Math.max(1, Math.round(Number(target.value)) || 1) });
                }}
              />
            </Field>
          )}
        </div>
        <Trouble error={network.error} />
      </Panel>
      {example === null && (
        <LayerEditor
          layers={layers}
          onChange={(changed) => {
            change({ layers: changed });
          }}
        />
      )}
      <Compare
        classIds={classIds}
        rows={rows ?? NO_ROWS}
        images={images}
        missing={
          network.data === undefined || network.data.completeness.isComplete
            ? null
            : completenessText(network.data)
        }
        uncounted={network.data === undefined ? null : uncountedText(network.data)}
        quantity={quantity}
        onQuantity={(next) => {
          change({ quantity: next });
        }}
      />
    </>
  );
}

interface CompareProps extends Pick<Compared, 'classIds' | 'images' | 'quantity'> {
  readonly rows: readonly Row[];
  readonly missing: string | null;
  readonly uncounted: string | null;
  readonly onQuantity: (quantity: Compared['quantity']) => void;
}

function Compare(props: CompareProps) {
  const { classIds, rows, images, missing, uncounted, quantity, onQuantity } = props;
  const isWhole = rows.every(({ spec }) => isWholeLayer(spec));
  const { found, errors, isPending } = usePredictions(classIds, isWhole ? rows : NO_ROWS, images);
  const base = useMemo(() => heaviest(rows), [rows]);
  return (
    <>
      {errors.map((error) => (
        <Trouble key={error.message} error={error} />
      ))}
      {isPending && <Busy what="predictions" />}
      {found.length > 0 && <Totals shown={found} images={images} missing={missing} uncounted={uncounted} />}
      {found.length > 1 && <SpeedUps shown={found} missing={missing} />}
      {found.length > 1 && rows.length > 1 && <Wins shown={found} />}
      {found.length > 0 && isWhole && base !== null && (
        <AxisCharts {...{ classIds, base, quantity, onQuantity }} />
      )}
    </>
  );
}

/** The layer with the most multiply-adds. The figures along the axes vary it. */
function heaviest(rows: readonly Row[]) {
  const [first, ...rest] = rows.map(({ spec }) => spec);
  if (first === undefined) return null;
  return rest.reduce((most, spec) => (macs(spec) > macs(most) ? spec : most), first);
}
