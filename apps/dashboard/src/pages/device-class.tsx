import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { Link } from 'wouter';
import { type DeviceClass, type Model, useModels } from '../api.js';
import { download } from '../download.js';
import { count, noiseFloorText, scaled } from '../format.js';
import { ErrorTables, PredictedFigure } from '../model/accuracy.js';
import { AxisFigures } from '../model/axis-figures.js';
import { Coefficients, FormsTable, KernelsTable, Versions } from '../model/tables.js';
import { SampleChart } from '../sample-chart.js';
import { type Point, usePoints } from '../samples.js';
import { answered, SignedInOnly, useSession } from '../session.js';
import { Busy, Empty, PageHead, Panel, Trouble } from '../ui.js';

const VERSIONS_READ = 10;
const NO_POINTS: readonly Point[] = [];

export default function DeviceClassPage({ id }: { id: string }) {
  const { api } = useSession();
  const found = useQuery({
    queryKey: ['device-class', id],
    queryFn: async () =>
      answered((await api.GET('/v1/device-classes/{id}', { params: { path: { id } } })).data),
  });
  const models = useModels(VERSIONS_READ, id);
  const points = usePoints({ deviceClassId: id });
  const [selectedId, setSelectedId] = useState('');
  const served = models.data?.find(({ status }) => status === 'published');
  const model = models.data?.find((each) => each.id === selectedId) ?? served ?? models.data?.[0];
  if (found.data === undefined) {
    return found.error === null ? <Busy what="the device class" /> : <Trouble error={found.error} />;
  }
  return (
    <>
      <PageHead
        title={found.data.sku}
        lead={factsOf(found.data)}
        actions={
          <SignedInOnly>
            <FitAgain id={id} />
          </SignedInOnly>
        }
      />
      <Trouble error={models.error ?? points.error} />
      {models.isPending && <Busy what="models" />}
      {models.data?.length === 0 && (
        <Empty title="No model yet">
          <p>
            A model is fitted after a campaign on this class has measured its last shape.{' '}
            <SignedInOnly>
              <Link href="/campaigns/new">Start a campaign</Link>.
            </SignedInOnly>
          </p>
        </Empty>
      )}
      {model !== undefined && (
        <ModelPanels
          key={model.id}
          model={model}
          models={models.data ?? []}
          points={points.data ?? NO_POINTS}
          onShow={setSelectedId}
        />
      )}
      {points.isPending && <Busy what="samples" />}
      {points.data !== undefined && points.data.length > 0 && (
        <Panel title="All ok samples" unit="time of one convolution in ms, against its multiply-adds">
          <SampleChart label="All ok samples of the device class" points={points.data} />
        </Panel>
      )}
    </>
  );
}

interface ModelPanelsProps {
  model: Model;
  models: readonly Model[];
  points: readonly Point[];
  onShow: (id: string) => void;
}

function ModelPanels({ model, models, points, onShow }: ModelPanelsProps) {
  return (
    <>
      <h2 className="section">
        Model v{model.version}
        <span className="unit">
          {' '}
          {model.id}, from {count(model.data.samples)} samples of {count(model.data.shapes)} shapes
        </span>
      </h2>
      <ModelFiles id={model.id ?? ''} />
      <FormsTable title="Errors and interval coverage of time" cost={model} />
      <p className="hint">
        {model.noiseFloor === undefined
          ? 'The noise floor is unknown: no shape was visited twice.'
          : `Noise floor: two visits of a shape differ by ${noiseFloorText(model.noiseFloor)}. No error can be far below it.`}
      </p>
      {points.length > 0 && <AxisFigures model={model} points={points} />}
      <PredictedFigure cost={model} quantity="time" />
      <ErrorTables model={model} points={points} />
      {model.energy === undefined ? (
        <Panel title="Energy">
          <p className="hint">
            This model does not predict energy: too few of its samples have it. A campaign with energy, on a
            device that counts it, adds such samples.
          </p>
        </Panel>
      ) : (
        <>
          <FormsTable
            title={`Errors and interval coverage of energy, from ${count(model.energy.data.samples)} samples`}
            cost={model.energy}
          />
          <PredictedFigure cost={model.energy} quantity="energy" />
        </>
      )}
      {model.kernels !== undefined && <KernelsTable kernels={model.kernels} />}
      <Coefficients model={model} />
      <Versions models={models} shown={model} onShow={onShow} />
    </>
  );
}

/** Downloads: the document for `alphaflops predict --model`, and the model card. */
function ModelFiles({ id }: { id: string }) {
  const session = useSession();
  const saving = useMutation({
    mutationFn: ([path, name]: readonly [string, string]) => download(session, path, name),
  });
  const files = [
    ['Model as JSON', `/v1/models/${id}`, `${id}.json`],
    ['Model card', `/v1/models/${id}/card`, `${id}.md`],
  ] as const;
  return (
    <div className="actions">
      {files.map(([label, path, name]) => (
        <button
          key={label}
          type="button"
          onClick={() => {
            saving.mutate([path, name]);
          }}
        >
          {label}
        </button>
      ))}
      <Trouble error={saving.error} />
    </div>
  );
}

function factsOf({ id, executor, libraries, mathMode, memoryBytes, smCount }: DeviceClass): string {
  return [
    id,
    `executor ${executor}`,
    ...Object.entries(libraries).map(([name, version]) => `${name} ${version}`),
    `math mode ${mathMode}`,
    ...(memoryBytes === null ? [] : [`${scaled(memoryBytes)}B of memory`]),
    ...(smCount === null ? [] : [`${smCount} multiprocessors`]),
  ].join(' · ');
}

const FIT_EVERY_MS = 1_000;

/** Requests a fit of all samples, and shows its progress. */
function FitAgain({ id }: { id: string }) {
  const { api } = useSession();
  const queries = useQueryClient();
  const ask = useMutation({
    mutationFn: async () =>
      answered((await api.POST('/v1/device-classes/{id}/fits', { params: { path: { id } }, body: {} })).data),
  });
  const fitId = ask.data?.id ?? '';
  const fit = useQuery({
    queryKey: ['fit', fitId],
    queryFn: async () => {
      const state = answered((await api.GET('/v1/fits/{id}', { params: { path: { id: fitId } } })).data);
      if (state.state === 'completed') await queries.invalidateQueries({ queryKey: ['models'] });
      return state;
    },
    enabled: fitId !== '',
    refetchInterval: ({ state: { data } }) =>
      data?.state === 'completed' || data?.state === 'failed' ? false : FIT_EVERY_MS,
  });
  return (
    <>
      <Trouble error={ask.error ?? fit.error} />
      {fit.data !== undefined && (
        <span role="status" className="muted">
          Fit {fit.data.state}
          {fit.data.reason !== null && `: ${fit.data.reason}`}
        </span>
      )}
      <button
        type="button"
        disabled={ask.isPending}
        onClick={() => {
          ask.mutate();
        }}
      >
        Fit all samples again
      </button>
    </>
  );
}
