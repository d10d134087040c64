import { useInfiniteQuery } from '@tanstack/react-query';
import { Link } from 'wouter';
import { ago, count } from '../format.js';
import { answered, useSession } from '../session.js';
import { Badge, Busy, Empty, PageHead, Panel, TableBox, Trouble } from '../ui.js';

const PAGE = 50;
const EVERY_MS = 5_000;

export function CampaignsPage() {
  const { api } = useSession();
  const campaigns = useInfiniteQuery({
    queryKey: ['campaigns'],
    queryFn: async ({ pageParam }) => {
      const query = { limit: PAGE, ...(pageParam !== '' && { cursor: pageParam }) };
      return answered((await api.GET('/v1/campaigns', { params: { query } })).data);
    },
    initialPageParam: '',
    getNextPageParam: ({ nextCursor }) => nextCursor,
    refetchInterval: EVERY_MS,
  });
  const items = campaigns.data?.pages.flatMap((page) => page.items) ?? [];
  return (
    <>
      <PageHead
        title="Campaigns"
        lead="A campaign measures the convolutions of a design on a device class, and fits a model to the samples."
        actions={
          <Link href="/campaigns/new" className="button primary">
            New campaign
          </Link>
        }
      />
      <Trouble error={campaigns.error} />
      {campaigns.isPending && <Busy what="campaigns" />}
      {campaigns.isSuccess && items.length === 0 && (
        <Empty title="No campaign yet">
          <p>
            A campaign needs a machine that measures. If no worker is online,{' '}
            <Link href="/workers">add a node</Link> first. Then{' '}
            <Link href="/campaigns/new">plan a campaign</Link>. 500 network-like shapes are a good first
            campaign.
          </p>
        </Empty>
      )}
      {items.length > 0 && (
        <Panel title="All campaigns" unit="newest first">
          <TableBox label="Campaigns">
            <table>
              <thead>
                <tr>
                  <th>Name</th>
                  <th>State</th>
                  <th>Design</th>
                  <th className="number">Planned, measurements</th>
                  <th>Device class</th>
                  <th>Created</th>
                </tr>
              </thead>
              <tbody>
                {items.map((campaign) => (
                  <tr key={campaign.id}>
                    <td>
                      <Link href={`/campaigns/${campaign.id}`}>{campaign.name}</Link>
                    </td>
                    <td>
                      <Badge state={campaign.state} />
                    </td>
                    <td>{campaign.request.design.name}</td>
                    <td className="number">{count(campaign.plannedSlots)}</td>
                    <td>
                      <Link href={`/devices/${campaign.deviceClassId}`}>{campaign.deviceClassId}</Link>
                    </td>
                    <td>{ago(campaign.createdAt)}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          </TableBox>
          {campaigns.hasNextPage && (
            <button
              type="button"
              onClick={() => {
                void campaigns.fetchNextPage();
              }}
            >
              Older ones
            </button>
          )}
        </Panel>
      )}
    </>
  );
}
