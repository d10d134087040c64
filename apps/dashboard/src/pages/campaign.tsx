import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Link } from 'wouter';
import type { Campaign } from '../api.js';
import { type CampaignProgress, ENDED, useProgress } from '../events.js';
import { ago, count, duration, moment, noiseFloorText, percent, significant } from '../format.js';
import { LearningCurvePanel } from '../learning-curve.js';
import { SampleChart } from '../sample-chart.js';
import { usePoints } from '../samples.js';
import { answered, useSession } from '../session.js';
import { Badge, Bar, Busy, Confirmed, Empty, PageHead, Panel, Stat, TableBox, Trouble } from '../ui.js';

export function CampaignPage({ id }: { id: string }) {
  const { api } = useSession();
  const { progress, error, isLost } = useProgress(id);
  const campaign = useQuery({
    // Read again after each change of its state or round, because the history grows.
    queryKey: [
      'campaign',
      id,
      progress?.state ?? '',
      progress?.round?.number ?? progress?.learning.length ?? 1,
    ],
    queryFn: async () => answered((await api.GET('/v1/campaigns/{id}', { params: { path: { id } } })).data),
    placeholderData: (before) => before,
  });
  if (campaign.data === undefined) {
    return campaign.error === null ? <Busy what="the campaign" /> : <Trouble error={campaign.error} />;
  }
  const { data } = campaign;
  return (
    <>
      <PageHead
        title={data.name}
        lead={
          <>
            {data.request.design.name} on{' '}
            <Link href={`/devices/${data.deviceClassId}`}>{data.deviceClassId}</Link>, protocol{' '}
            {data.protocol.name} v{data.protocol.version}, created {ago(data.createdAt)}
          </>
        }
        actions={<Changes campaign={data} state={progress?.state ?? data.state} />}
      />
      <Trouble error={error} />
      {isLost && (
        <p className="busy" role="status">
          The connection is lost; trying again …
        </p>
      )}
      {progress !== null && <Progress progress={progress} />}
      {progress !== null && progress.targetError !== null && <LearningCurvePanel progress={progress} />}
      <Measured campaignId={id} progress={progress} />
      <div className="columns">
        <Outcomes progress={progress} />
        <History campaign={data} />
      </div>
    </>
  );
}

const CHANGES = {
  pause: ['running'],
  resume: ['paused'],
  cancel: ['planned', 'running', 'paused', 'fitting'],
};

function Changes({ campaign: { id }, state }: { campaign: Campaign; state: string }) {
  const { api } = useSession();
  const queries = useQueryClient();
  const change = useMutation({
    mutationFn: (what: keyof typeof CHANGES) =>
      api.POST(`/v1/campaigns/{id}/${what}`, { params: { path: { id } }, body: {} }),
    onSettled: () => queries.invalidateQueries({ queryKey: ['campaign', id] }),
  });
  return (
    <>
      <Trouble error={change.error} />
      {(['pause', 'resume'] as const)
        .filter((what) => CHANGES[what].includes(state))
        .map((what) => (
          <button
            key={what}
            type="button"
            disabled={change.isPending}
            onClick={() => {
              change.mutate(what);
            }}
          >
            {what === 'pause' ? 'Pause' : 'Resume'}
          </button>
        ))}
      {CHANGES.cancel.includes(state) && (
        <Confirmed
          label="Cancel campaign"
          question="A cancelled campaign cannot continue. Its samples stay, but no model is fitted."
          confirm="Cancel it"
          act={() => {
            change.mutate('cancel');
          }}
        />
      )}
    </>
  );
}

function Progress({ progress }: { progress: CampaignProgress }) {
  const { state, recordedSlots, totalSlots, slotsPerSecond, remainingSeconds, modelId, round } = progress;
  const { noiseFloor, devices } = progress;
  const share = totalSlots === 0 ? 0 : recordedSlots / totalSlots;
  return (
    <Panel title="Progress" unit="measurements">
      <div className="progress-line">
        <Badge state={state} />
        <progress max={1} value={share} aria-label="Recorded share of the planned measurements" />
        <span className="number">{percent(share, 0)}</span>
      </div>
      <dl className="stats" role="status" aria-label="Live progress">
        <Stat label="Recorded" value={`${count(recordedSlots)} of ${count(totalSlots)}`} />
        {round !== null && <Stat label="Round" value={`${round.number} of ${round.of}`} />}
        <Stat
          label="Throughput"
          {...(slotsPerSecond === null
            ? { value: state === 'running' ? 'not known yet' : '–' }
            : { value: significant(slotsPerSecond * 60, 3), unit: 'per min' })}
        />
        <Stat label="Remaining" value={remainingSeconds === null ? '–' : duration(remainingSeconds)} />
        {devices.length > 1 &&
          devices.map(({ deviceId, slotsPerSecond: rate }) => (
            <Stat key={deviceId} label={deviceId} value={significant(rate * 60, 3)} unit="per min" />
          ))}
        {noiseFloor !== null && <Stat label="Noise floor" value={noiseFloorText(noiseFloor)} />}
        <Stat
          label="Model"
          value={modelId === null ? (ENDED.includes(state) ? 'none' : 'after the last sample') : modelId}
        />
      </dl>
      {round?.isPlanningNext === true && (
        <p className="hint">Round {round.number + 1} is being chosen from the samples so far.</p>
      )}
    </Panel>
  );
}

/**
 * The points are read again after each further twentieth of the campaign, so that a long campaign is not read too
 * often.
 */
function versionOf(progress: CampaignProgress | null): number {
  if (progress === null) return 0;
  const { recordedSlots, state } = progress;
  if (ENDED.includes(state)) return -recordedSlots - 1;
  return recordedSlots === 0 ? 0 : 1 + Math.floor(Math.log(recordedSlots) / Math.log(1.05));
}

function Measured({ campaignId, progress }: { campaignId: string; progress: CampaignProgress | null }) {
  const points = usePoints({ campaignId }, versionOf(progress));
  return (
    <Panel title="Measured points" unit="time of one convolution in ms, against its multiply-adds">
      <Trouble error={points.error} />
      {points.data === undefined || points.data.length === 0 ? (
        <Empty title="No measured time yet">
          <p>
            Points appear here as workers send them. If none appear, check whether a worker of this device
            class is online: <Link href="/workers">Workers</Link>.
          </p>
        </Empty>
      ) : (
        <SampleChart label="Measured points of this campaign" points={points.data} />
      )}
    </Panel>
  );
}

function Outcomes({ progress }: { progress: CampaignProgress | null }) {
  const counts = Object.entries(progress?.outcomes ?? {});
  const most = Math.max(1, ...counts.map(([, number]) => number));
  return (
    <Panel title="Outcomes" unit="measurements">
      <TableBox label="Outcomes">
        <table>
          <thead>
            <tr>
              <th>Outcome</th>
              <th className="number">Count</th>
              <th aria-label="Share" />
            </tr>
          </thead>
          <tbody>
            {counts
              .filter(([outcome, number]) => number > 0 || outcome === 'ok')
              .map(([outcome, number]) => (
                <tr key={outcome}>
                  <td>{outcome}</td>
                  <td className="number">{count(number)}</td>
                  <td className="bar-cell">
                    <Bar share={number / most} label={`${number} ${outcome}`} />
                  </td>
                </tr>
              ))}
          </tbody>
        </table>
      </TableBox>
      <p className="hint">Only ok samples are used in the fit. The others are stored with their reason.</p>
    </Panel>
  );
}

function History({ campaign }: { campaign: Campaign }) {
  const left = Object.entries(campaign.excluded);
  return (
    <Panel title="History">
      <ol className="history">
        {campaign.history.map(({ state, at, reason }) => (
          <li key={state + at}>
            <Badge state={state} /> {reason}
            <time dateTime={at}>{moment(at)}</time>
          </li>
        ))}
      </ol>
      {left.length > 0 && (
        <p className="hint">
          Left out at planning: {left.map(([reason, number]) => `${count(number)} ${reason}`).join(', ')}.
        </p>
      )}
    </Panel>
  );
}
