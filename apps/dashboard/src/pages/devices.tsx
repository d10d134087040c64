import { useQueries } from '@tanstack/react-query';
import { Link } from 'wouter';
import { heldOutOf, type Model, useDeviceClasses, useDevices, useWorkers } from '../api.js';
import { ago, count, percent } from '../format.js';
import { answered, useSession } from '../session.js';
import { Busy, Empty, PageHead, Panel, TableBox, Trouble } from '../ui.js';

/** Newest models that are read for the list: their documents are large. */
const MODELS_READ = 30;

export default function DevicesPage() {
  const classes = useDeviceClasses();
  const devices = useDevices();
  const workers = useWorkers();
  const ids = (classes.data ?? []).map(({ id }) => id);
  const models = useLatestModels(ids.slice(0, MODELS_READ));
  const online = new Set((workers.data ?? []).filter((w) => w.presence === 'online').map(({ id }) => id));
  return (
    <>
      <PageHead
        title="Devices and models"
        lead="A model is of a device class: the same hardware, executor, library versions and math mode."
      />
      <Trouble error={classes.error} />
      {classes.isPending && <Busy what="device classes" />}
      {classes.data?.length === 0 && (
        <Empty title="No device yet">
          <p>
            Devices are found when a machine joins: <Link href="/workers">add a node</Link>.
          </p>
        </Empty>
      )}
      {classes.data !== undefined && classes.data.length > 0 && (
        <Panel title="Device classes" unit="error: median on held-out shapes">
          <TableBox label="Device classes">
            <table>
              <thead>
                <tr>
                  <th>Device class</th>
                  <th>Executor</th>
                  <th className="number">Devices online</th>
                  <th>Newest model</th>
                  <th className="number">Error, %</th>
                  <th className="number">Shapes</th>
                  <th>Published</th>
                </tr>
              </thead>
              <tbody>
                {classes.data.map(({ id, sku, executor }) => {
                  const members = (devices.data ?? []).filter((device) => device.deviceClassId === id);
                  const model = models.get(id);
                  return (
                    <tr key={id}>
                      <td>
                        <Link href={`/devices/${id}`}>{sku}</Link>
                        <small>{id}</small>
                      </td>
                      <td>{executor}</td>
                      <td className="number">
                        {members.filter(({ workerId }) => online.has(workerId)).length} of {members.length}
                      </td>
                      <td>{model ? `v${model.version ?? '?'}, ${model.chosenForm}` : 'none yet'}</td>
                      <td className="number">
                        {model ? percent(heldOutOf(model)?.medianApe).replace(' %', '') : '–'}
                      </td>
                      <td className="number">{model ? count(model.data.shapes) : '–'}</td>
                      <td>{model ? ago(model.createdAt) : '–'}</td>
                    </tr>
                  );
                })}
              </tbody>
            </table>
          </TableBox>
        </Panel>
      )}
    </>
  );
}

/** The newest model of each class that has one. */
function useLatestModels(ids: readonly string[]): ReadonlyMap<string, Model> {
  const { api } = useSession();
  const results = useQueries({
    queries: ids.map((id) => ({
      queryKey: ['latest-model', id],
      queryFn: async () => {
        const path = { params: { query: { deviceClassId: id, limit: 1 } } };
        return answered((await api.GET('/v1/models', path)).data).items[0] ?? null;
      },
      refetchInterval: 60_000,
    })),
  });
  return new Map(results.flatMap(({ data }, at) => (data ? [[ids[at] ?? '', data] as const] : [])));
}
