import { useInfiniteQuery, useMutation } from '@tanstack/react-query';
import { useState } from 'react';
import { Link } from 'wouter';
import { type Sample, useDeviceClasses } from '../api.js';
import { DataCard } from '../data-card.js';
import { DataSets } from '../data-sets.js';
import { download } from '../download.js';
import { count, moment, significant } from '../format.js';
import { SampleChart } from '../sample-chart.js';
import { type SampleFilter, streamPath, usePoints } from '../samples.js';
import { answered, SignedInOnly, useSession } from '../session.js';
import { shapeText, SHAPES_READ } from '../shapes.js';
import { Badge, Busy, Empty, Field, PageHead, Panel, TableBox, Trouble } from '../ui.js';

const PAGE = 50;
const OUTCOMES = ['ok', 'unsupported', 'out-of-memory', 'timeout', 'throttled', 'noisy', 'wrong-result', 'executor-crashed'] as const; // prettier-ignore
type Outcome = (typeof OUTCOMES)[number];
type Filter = SampleFilter & { outcome?: Outcome };

export default function DataPage() {
  const [filter, setFilter] = useState<Filter>({});
  const points = usePoints(withoutOutcome(filter));
  const classes = useDeviceClasses();
  const deviceClass = classes.data?.find(({ id }) => id === filter.deviceClassId);
  return (
    <>
      <PageHead
        title="Data"
        lead="Samples, and the data sets made from them. Stored samples never change."
        actions={<Export filter={filter} />}
      />
      <Filters filter={filter} onChange={setFilter} />
      <Trouble error={points.error} />
      {points.data !== undefined && points.data.length > 0 && (
        <Panel title="Ok samples that match" unit="time of one convolution in ms, against its multiply-adds">
          <SampleChart label="Ok samples that match" points={points.data} height={360} />
        </Panel>
      )}
      {points.data !== undefined && points.data.length > 0 && (
        <DataCard points={points.data} deviceClass={deviceClass} />
      )}
      <DataSets
        filter={withoutOutcome(filter)}
        canFreeze={points.data !== undefined && points.data.length > 0}
      />
      <SignedInOnly>
        <SampleTable filter={filter} />
      </SignedInOnly>
    </>
  );
}

/** The plot always shows ok samples, because only they have a time. The filter of outcomes affects only the list. */
function withoutOutcome(filter: Filter): SampleFilter {
  const plotted = { ...filter };
  delete plotted.outcome;
  return plotted;
}

function Filters({ filter, onChange }: { filter: Filter; onChange: (filter: Filter) => void }) {
  const classes = useDeviceClasses();
  const set = (name: keyof Filter, value: string) => {
    onChange(
      Object.fromEntries(Object.entries({ ...filter, [name]: value }).filter(([, each]) => each !== '')),
    );
  };
  return (
    <Panel title="Filter">
      <div className="fields">
        <Field label="Device class">
          <select
            value={filter.deviceClassId ?? ''}
            onChange={({ target }) => {
              set('deviceClassId', target.value);
            }}
          >
            <option value="">all</option>
            {(classes.data ?? []).map(({ id }) => (
              <option key={id}>{id}</option>
            ))}
          </select>
        </Field>
        <SignedInOnly>
          <Field label="Campaign id">
            <input
              placeholder="all"
              defaultValue={filter.campaignId ?? ''}
              onBlur={({ target }) => {
                set('campaignId', target.value.trim());
              }}
              onKeyDown={({ key, currentTarget }) => {
                if (key === 'Enter') set('campaignId', currentTarget.value.trim());
              }}
            />
          </Field>
        </SignedInOnly>
        <SignedInOnly>
          <Field label="Outcome">
            <select
              value={filter.outcome ?? ''}
              onChange={({ target }) => {
                set('outcome', target.value);
              }}
            >
              <option value="">all</option>
              {OUTCOMES.map((outcome) => (
                <option key={outcome}>{outcome}</option>
              ))}
            </select>
          </Field>
        </SignedInOnly>
        <Moment
          label="Recorded from"
          onChange={(at) => {
            set('recordedFrom', at);
          }}
        />
        <Moment
          label="Recorded before"
          onChange={(at) => {
            set('recordedTo', at);
          }}
        />
      </div>
    </Panel>
  );
}

/** A moment in the reader's time zone, converted to UTC. */
function Moment({ label, onChange }: { label: string; onChange: (timestamp: string) => void }) {
  return (
    <Field label={label}>
      <input
        type="datetime-local"
        onChange={({ target: { value } }) => {
          onChange(value === '' ? '' : new Date(value).toISOString());
        }}
      />
    </Field>
  );
}

function SampleTable({ filter }: { filter: Filter }) {
  const { api } = useSession();
  const samples = useInfiniteQuery({
    queryKey: ['samples', filter],
    queryFn: async ({ pageParam }) => {
      const query = { ...filter, limit: PAGE, ...(pageParam !== '' && { cursor: pageParam }) };
      return answered((await api.GET('/v1/samples', { params: { query } })).data);
    },
    initialPageParam: '',
    getNextPageParam: ({ nextCursor }) => nextCursor,
  });
  const items = samples.data?.pages.flatMap((page) => page.items) ?? [];
  if (samples.isPending) return <Busy what="samples" />;
  if (samples.error !== null) return <Trouble error={samples.error} />;
  if (items.length === 0) {
    return (
      <Empty title="No sample matches">
        <p>Remove a filter, or start a campaign: its samples appear here as they are recorded.</p>
      </Empty>
    );
  }
  return (
    <Panel title="Samples" unit="oldest first">
      <TableBox label="Samples">
        <table>
          <thead>
            <tr>
              <th>Recorded</th>
              <th>Shape</th>
              <th>Outcome</th>
              <th className="number">Time, ms</th>
              <th className="number">Quartiles, ms</th>
              <th className="number">Energy, mJ</th>
              <th className="number">Repetitions</th>
              <th>Device</th>
              <th>Campaign</th>
            </tr>
          </thead>
          <tbody>
            {items.map((sample) => (
              <SampleRow key={sample.id} sample={sample} />
            ))}
          </tbody>
        </table>
      </TableBox>
      <p className="hint">{SHAPES_READ}</p>
      {samples.hasNextPage && (
        <button
          type="button"
          disabled={samples.isFetching}
          onClick={() => {
            void samples.fetchNextPage();
          }}
        >
          {PAGE} more
        </button>
      )}
    </Panel>
  );
}

function SampleRow({ sample }: { sample: Sample }) {
  const { timing, reason } = sample;
  return (
    <tr>
      <td className="when">{moment(sample.recordedAt)}</td>
      <td className="shape">{shapeText(sample.spec)}</td>
      <td>
        <Badge state={sample.outcome} />
        {reason !== null && <small>{reason}</small>}
      </td>
      <td className="number">{timing === null ? '–' : significant(timing.timeMs)}</td>
      <td className="number">
        {timing === null || timing.timeQ25Ms === null || timing.timeQ75Ms === null
          ? '–'
          : `${significant(timing.timeQ25Ms, 3)} – ${significant(timing.timeQ75Ms, 3)}`}
      </td>
      <td className="number">
        {timing === null || timing.energyMillijoules === null
          ? '–'
          : significant(timing.energyMillijoules, 3)}
      </td>
      <td className="number">
        {timing === null || timing.repetitions === null ? '–' : count(timing.repetitions)}
      </td>
      <td className="when">{sample.deviceId ?? '–'}</td>
      <td className="when">
        <Link href={`/campaigns/${sample.campaignId}`}>{sample.campaignId}</Link>
      </td>
    </tr>
  );
}

function Export({ filter }: { filter: Filter }) {
  const session = useSession();
  const saving = useMutation({
    mutationFn: (format: 'csv' | 'jsonl') =>
      download(session, streamPath(filter, format), `samples.${format}`),
  });
  return (
    <>
      <Trouble error={saving.error} />
      {(session.token === null ? (['csv'] as const) : (['csv', 'jsonl'] as const)).map((format) => (
        <button
          key={format}
          type="button"
          disabled={saving.isPending}
          onClick={() => {
            saving.mutate(format);
          }}
        >
          {format === 'csv' ? 'Export ok samples as CSV' : 'Export as JSON lines'}
        </button>
      ))}
    </>
  );
}
