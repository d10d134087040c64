import { useQueries, useQuery } from '@tanstack/react-query';
import { Link } from 'wouter';
import {
  type Campaign,
  useDeviceClasses,
  useDevices,
  useLatestModels,
  useModels,
  useWorkers,
} from '../api.js';
import { ago, significant } from '../format.js';
import { attentionOf } from '../overview/attention.js';
import { Fleet } from '../overview/fleet.js';
import { AttentionPanel, ClassTable, LastCampaigns, NewestModels } from '../overview/tables.js';
import { Throughput } from '../overview/throughput.js';
import { answered, fetchRaw, looksLikeAdmin, useSession } from '../session.js';
import { Empty, PageHead, Stat, Trouble } from '../ui.js';

const NEWEST_MODELS = 3;
const LAST_CAMPAIGNS = 5;
/** Number of failed campaigns in the search for recent ones. */
const FAILED_READ = 5;
/** Number of device classes whose newest model is read. The documents are large. */
const CLASSES_SHOWN = 8;
/** Number of running campaigns whose rates are added up. */
const RUNNING_LIMIT = 10;
const EVERY_MS = 5_000;
const QUEUES = '/queues/';

/** The board of the queues has its own password, and it may be disabled. */
function QueuesLink() {
  const session = useSession();
  const isAdmin = looksLikeAdmin(session);
  const board = useQuery({
    queryKey: ['queue-board'],
    queryFn: () => fetchRaw(session, QUEUES).then(({ ok }) => ok),
    enabled: isAdmin,
    retry: false,
    staleTime: Infinity,
  });
  if (board.data !== true) return null;
  return (
    <a
      className="button"
      href={`.${QUEUES}`}
      target="_blank"
      rel="noreferrer"
      title="The browser asks for a name and a password: any name, and the admin token"
    >
      Queues
    </a>
  );
}

export function OverviewPage() {
  const workers = useWorkers();
  const devices = useDevices();
  const running = useRunning();
  const models = useModels(NEWEST_MODELS);
  const last = useCampaigns(LAST_CAMPAIGNS);
  const failed = useCampaigns(FAILED_READ, 'failed');
  const classes = useDeviceClasses().data ?? [];
  const shown = classes.slice(0, CLASSES_SHOWN);
  const latest = useLatestModels(shown.map(({ id }) => id));
  const online = new Set(
    (workers.data ?? []).filter(({ presence }) => presence === 'online').map(({ id }) => id),
  );
  const devicesOnline = devices.data?.filter(({ workerId }) => online.has(workerId)).length;
  const isNew = workers.data?.length === 0 && classes.length === 0;
  const attention = attentionOf({
    workers: workers.data ?? [],
    campaigns: failed.data ?? [],
    latestModels: [...latest.values()],
    nowMs: failed.dataUpdatedAt,
  });
  return (
    <>
      <PageHead
        title="Overview"
        lead="Devices measure convolutions; models fitted to these measurements predict what a layer costs on a device."
        actions={<QueuesLink />}
      />
      <Trouble error={workers.error ?? running.error ?? models.error ?? last.error} />
      <dl className="stats large" aria-label="Now">
        <Stat
          label="Devices online"
          value={devicesOnline ?? '…'}
          unit={`of ${devices.data?.length ?? '…'}`}
        />
        <Stat label="Campaigns running" value={running.campaigns?.length ?? '…'} />
        <Stat
          label="Samples"
          value={running.perMinute === null ? '–' : significant(running.perMinute, 3)}
          unit="per min"
        />
        <Stat label="Newest model" value={models.data?.[0] ? ago(models.data[0].createdAt) : '–'} />
      </dl>
      {isNew && (
        <Empty title="Three steps to the first model">
          <ol>
            <li>
              <Link href="/workers">Add a node</Link>: a machine whose device you want to measure.
            </li>
            <li>
              <Link href="/campaigns/new">Start a campaign</Link> of some hundred network-like shapes.
            </li>
            <li>
              Read the real cost of a convolution on it: <Link href="/devices">devices and models</Link>.
            </li>
          </ol>
        </Empty>
      )}
      {!isNew && workers.data !== undefined && (
        <>
          <div className="columns">
            <AttentionPanel items={attention} />
            <Fleet workers={workers.data} />
          </div>
          <Throughput />
        </>
      )}
      <div className="columns">
        <LastCampaigns campaigns={last.data ?? []} />
        <NewestModels models={models.data ?? []} />
      </div>
      {shown.length > 0 && <ClassTable classes={shown} models={latest} />}
    </>
  );
}

function useCampaigns(limit: number, state?: Campaign['state']) {
  const { api } = useSession();
  return useQuery({
    queryKey: ['campaigns', 'newest', limit, state ?? 'all'],
    queryFn: async () => {
      const query = { limit, ...(state !== undefined && { state }) };
      return answered((await api.GET('/v1/campaigns', { params: { query } })).data).items;
    },
    refetchInterval: EVERY_MS,
  });
}

function useRunning(): { campaigns: Campaign[] | undefined; perMinute: number | null; error: Error | null } {
  const { api } = useSession();
  const { data: campaigns, error } = useQuery({
    queryKey: ['campaigns', 'running'],
    queryFn: async () => {
      const query = { state: 'running' as const, limit: 100 };
      return answered((await api.GET('/v1/campaigns', { params: { query } })).data).items;
    },
    refetchInterval: EVERY_MS,
  });
  const rates = useQueries({
    queries: (campaigns ?? []).slice(0, RUNNING_LIMIT).map(({ id }) => ({
      queryKey: ['progress', id],
      queryFn: async () =>
        answered((await api.GET('/v1/campaigns/{id}/progress', { params: { path: { id } } })).data),
      refetchInterval: EVERY_MS,
    })),
  }).map(({ data }) => data?.slotsPerSecond ?? null);
  const known = rates.filter((rate) => rate !== null);
  const perMinute =
    campaigns?.length === 0 ? 0 : known.length === 0 ? null : 60 * known.reduce((a, b) => a + b, 0);
  return { campaigns, perMinute, error };
}
