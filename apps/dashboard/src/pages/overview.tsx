import { useQueries, useQuery } from '@tanstack/react-query';
import { Link } from 'wouter';
import { type Campaign, heldOutOf, useDevices, useModels, useWorkers } from '../api.js';
import { ago, count, percent, significant } from '../format.js';
import { answered, fetchRaw, looksLikeAdmin, useSession } from '../session.js';
import { Badge, Empty, PageHead, Panel, Stat, TableBox, Trouble } from '../ui.js';

const NEWEST_MODELS = 3;
/** Campaigns whose rate is asked for. */
const RUNNING_LIMIT = 10;
const EVERY_MS = 5_000;
const QUEUES = '/queues/';

/** The board of the queues asks for a password of its own; it may be switched off. */
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
  const online = new Set(
    (workers.data ?? []).filter(({ presence }) => presence === 'online').map(({ id }) => id),
  );
  const devicesOnline = devices.data?.filter(({ workerId }) => online.has(workerId)).length;
  const isNew = workers.data?.length === 0;
  return (
    <>
      <PageHead
        title="Overview"
        lead="Devices measure convolutions; from what they measure, models are fitted that say what a layer costs there."
        actions={<QueuesLink />}
      />
      <Trouble error={workers.error ?? running.error ?? models.error} />
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
              <Link href="/workers">Add a node</Link>: a machine whose device is to be measured.
            </li>
            <li>
              <Link href="/campaigns/new">Start a campaign</Link> of some hundred network-like shapes.
            </li>
            <li>
              Read what a convolution really costs there: <Link href="/devices">devices and models</Link>.
            </li>
          </ol>
        </Empty>
      )}
      <div className="columns">
        <Running campaigns={running.campaigns ?? []} />
        <Panel title="Newest models" unit="median error on held-out shapes">
          {(models.data ?? []).length === 0 ? (
            <p className="hint">A model is published when a campaign has measured its last shape.</p>
          ) : (
            <TableBox label="Newest models">
              <table>
                <thead>
                  <tr>
                    <th>Model</th>
                    <th>Form</th>
                    <th className="number">Median error, %</th>
                    <th className="number">Shapes</th>
                    <th>Published</th>
                  </tr>
                </thead>
                <tbody>
                  {(models.data ?? []).map((model) => (
                    <tr key={model.id}>
                      <td>
                        <Link href={`/devices/${model.deviceClassId ?? ''}`}>{model.id}</Link>
                      </td>
                      <td>{model.chosenForm}</td>
                      <td className="number">{percent(heldOutOf(model)?.medianApe).replace(' %', '')}</td>
                      <td className="number">{count(model.data.shapes)}</td>
                      <td>{ago(model.createdAt)}</td>
                    </tr>
                  ))}
                </tbody>
              </table>
            </TableBox>
          )}
        </Panel>
      </div>
    </>
  );
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

function Running({ campaigns }: { campaigns: readonly Campaign[] }) {
  return (
    <Panel title="Running campaigns">
      {campaigns.length === 0 ? (
        <p className="hint">
          None is running. <Link href="/campaigns">All campaigns</Link>
        </p>
      ) : (
        <ul className="plain">
          {campaigns.map(({ id, name, state, plannedSlots, deviceClassId }) => (
            <li key={id}>
              <Badge state={state} /> <Link href={`/campaigns/${id}`}>{name}</Link>
              <span className="muted">
                {' '}
                {count(plannedSlots)} measurements on {deviceClassId}
              </span>
            </li>
          ))}
        </ul>
      )}
    </Panel>
  );
}
