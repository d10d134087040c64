import { Link } from 'wouter';
import { heldOutOf, useDeviceClasses, useDevices, useLatestModels, useWorkers } from '../api.js';
import { ago, count, percent } from '../format.js';
import { SignedInOnly } from '../session.js';
import { Busy, Empty, PageHead, Panel, TableBox, Trouble } from '../ui.js';

/** Number of the newest models that the list reads. Their documents are large. */
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
        lead="A model belongs to a device class: devices with the same hardware, executor, library versions and math mode."
      />
      <Trouble error={classes.error} />
      {classes.isPending && <Busy what="device classes" />}
      {classes.data?.length === 0 && (
        <Empty title="No device yet">
          <p>
            A worker reports its devices when it joins.{' '}
            <SignedInOnly>
              <Link href="/workers">Add a node</Link>.
            </SignedInOnly>
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
                  <SignedInOnly>
                    <th className="number">Devices online</th>
                  </SignedInOnly>
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
                      <SignedInOnly>
                        <td className="number">
                          {members.filter(({ workerId }) => online.has(workerId)).length} of {members.length}
                        </td>
                      </SignedInOnly>
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
