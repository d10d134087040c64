import { kernelGroup, macs, outputPoints, type ConvSpec } from '@alphaflops/conv';
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { useEffect, useMemo, useState } from 'react';
import type { CampaignPreview } from './api.js';
import { type CampaignForm, requestOf } from './campaign-form.js';
import { Chart } from './chart.js';
import { count, duration, scaled, significant } from './format.js';
import { answered, useSession } from './session.js';
import { shapeText } from './shapes.js';
import { Empty, Panel, Stat, TableBox, Trouble } from './ui.js';

/** Time without typing before the page requests the plan. */
const QUIET_MS = 400;
/**
 * The preview shows only the start of a larger plan, because planning a million shapes at every keystroke would delay
 * other users.
 */
const PREVIEWED = 20_000;
const LISTED = 8;

/** The planned shapes of the campaign and a lower bound of its time, from the coordinator. */
export function CampaignPreviewPanel({ form }: { form: CampaignForm }) {
  const { api } = useSession();
  const settled = useSettled(form);
  const requested = Number(settled.specs);
  const request = requestOf({ ...settled, name: 'preview', specs: String(Math.min(requested, PREVIEWED)) });
  const isReady = requested >= 1 && (settled.design !== 'csv' || settled.csv.trim() !== '');
  const preview = useQuery({
    queryKey: ['preview', request],
    queryFn: async () => answered((await api.POST('/v1/campaigns/preview', { body: request })).data),
    enabled: isReady,
    placeholderData: keepPreviousData,
    staleTime: 60_000,
  });
  return (
    <Panel title="Preview" unit={preview.isFetching ? 'planning …' : 'as it would be planned'}>
      <Trouble error={preview.error} />
      {preview.data === undefined || preview.error !== null ? (
        preview.error === null && (
          <Empty title="No plan yet">
            <p>
              Give a budget{settled.design === 'csv' ? ' and a list of shapes' : ''}: the plan is shown here.
            </p>
          </Empty>
        )
      ) : (
        <Planned preview={preview.data} requested={requested} />
      )}
    </Panel>
  );
}

function Planned({ preview, requested }: { preview: CampaignPreview; requested: number }) {
  const { plannedSpecs, totalSlots, leastSeconds, timesFrom, protocol, rounds } = preview;
  const specs = preview.specs as ConvSpec[];
  const left = Object.entries(preview.excluded).filter(([reason]) => reason !== 'over-budget');
  return (
    <>
      <dl className="stats" aria-label="Plan">
        <Stat
          label={rounds === undefined ? 'Convolutions' : 'Convolutions, first round'}
          value={count(plannedSpecs)}
        />
        <Stat label="Measurements" value={count(totalSlots)} />
        <Stat label="Estimated time, one device" value={`≥ ${duration(leastSeconds)}`} />
      </dl>
      <p className="hint">
        The estimate counts warm-up and timed runs of protocol {protocol.name} v{protocol.version},{' '}
        {timesFrom === 'model'
          ? 'with the times that the newest model predicts'
          : 'with the shortest times that it allows, because there is no model yet'}
        . The checks of results and the preparation of buffers take additional time.
        {requested > PREVIEWED && ` The preview shows the first ${count(PREVIEWED)} of ${count(requested)}.`}
        {left.length > 0 &&
          ` Left out: ${left.map(([reason, number]) => `${count(number)} ${reason}`).join(', ')}.`}
      </p>
      <ShapeChart specs={specs} />
      <TableBox label="First planned shapes">
        <table>
          <caption>
            First {Math.min(LISTED, specs.length)} of {count(plannedSpecs)} shapes
          </caption>
          <thead>
            <tr>
              <th>Shape</th>
              <th className="number">Work, MAC</th>
            </tr>
          </thead>
          <tbody>
            {specs.slice(0, LISTED).map((spec, at) => (
              <tr key={at}>
                <td>{shapeText(spec)}</td>
                <td className="number">{scaled(macs(spec))}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </TableBox>
    </>
  );
}

function ShapeChart({ specs }: { specs: readonly ConvSpec[] }) {
  const layers = useMemo(
    () =>
      (['other', '1x1'] as const)
        .map((group) => ({ group, members: specs.filter((spec) => kernelGroup(spec) === group) }))
        .filter(({ members }) => members.length > 0)
        .map(({ group, members }) => ({
          kind: 'points' as const,
          name: group === '1x1' ? '1×1 kernels' : 'other kernels',
          color: group === '1x1' ? '--series-2' : '--series-1',
          xs: members.map((spec) => outputPoints(spec)),
          ys: members.map((spec) => macs(spec) / 1e6),
          describe: (at: number) => {
            const spec = members[at];
            return spec === undefined ? '' : `${shapeText(spec)}, ${significant(macs(spec) / 1e6)} M MAC`;
          },
        })),
    [specs],
  );
  return (
    <Chart
      label="Planned shapes"
      x="output points (batch × height × width)"
      y="multiply-adds, millions"
      layers={layers}
      height={240}
    />
  );
}

function useSettled<T>(value: T): T {
  const [settled, setSettled] = useState(value);
  useEffect(() => {
    const timer = setTimeout(() => {
      setSettled(value);
    }, QUIET_MS);
    return () => {
      clearTimeout(timer);
    };
  }, [value]);
  return settled;
}
