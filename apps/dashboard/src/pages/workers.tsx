import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { useDevices, useWorkers, type Worker } from '../api.js';
import { ago } from '../format.js';
import { AddNode } from '../add-node.js';
import { useSession } from '../session.js';
import { Badge, Busy, Confirmed, Empty, PageHead, Panel, TableBox, Trouble } from '../ui.js';

export function WorkersPage() {
  const workers = useWorkers();
  const [isAdding, setAdding] = useState(false);
  return (
    <>
      <PageHead
        title="Workers"
        lead="Machines that measure. Each has its own credentials, which you can revoke at any time."
        actions={
          <button
            type="button"
            className="primary"
            onClick={() => {
              setAdding(true);
            }}
          >
            Add a node
          </button>
        }
      />
      {isAdding && (
        <AddNode
          onClose={() => {
            setAdding(false);
          }}
        />
      )}
      <Trouble error={workers.error} />
      {workers.isPending && <Busy what="workers" />}
      {workers.data?.length === 0 && (
        <Empty title="No machine has joined yet">
          <p>“Add a node” makes a token and shows the one line to run on the machine.</p>
        </Empty>
      )}
      {workers.data !== undefined && workers.data.length > 0 && <WorkerTable workers={workers.data} />}
    </>
  );
}

function WorkerTable({ workers }: { workers: readonly Worker[] }) {
  const devices = useDevices();
  const nameOf = new Map((devices.data ?? []).map(({ id, sku }) => [id, sku]));
  return (
    <Panel title="Enrolled" unit={`${workers.length} ${workers.length === 1 ? 'worker' : 'workers'}`}>
      <TableBox label="Workers">
        <table>
          <thead>
            <tr>
              <th>Name</th>
              <th>Presence</th>
              <th>Set to</th>
              <th>Activity</th>
              <th>Last heartbeat</th>
              <th>Version</th>
              <th>Devices</th>
              <th>Labels</th>
              <th>Change</th>
            </tr>
          </thead>
          <tbody>
            {workers.map((worker) => (
              <tr key={worker.id}>
                <td>
                  <strong>{worker.name}</strong>
                  <small>{worker.id}</small>
                </td>
                <td>
                  <Badge state={worker.presence} />
                </td>
                <td>
                  <Badge state={worker.desiredState} />
                  {worker.stateReason !== null && <small>{worker.stateReason}</small>}
                </td>
                <td>
                  {worker.activity}
                  {typeof worker.disturbance === 'string' && <small>{worker.disturbance}</small>}
                </td>
                <td>{ago(worker.lastHeartbeatAt)}</td>
                <td>{worker.version}</td>
                <td>{worker.deviceIds.map((id) => nameOf.get(id) ?? id).join(', ')}</td>
                <td>
                  {Object.entries(worker.labels)
                    .map(([key, value]) => `${key}=${value}`)
                    .join(', ') || '–'}
                </td>
                <td>
                  <Changes worker={worker} />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </TableBox>
      <p className="hint">
        Pause: the worker takes no new batch. Drain: it finishes its batch and ends. Revoke: its credentials
        become permanently invalid, and other workers measure its batch again.
      </p>
    </Panel>
  );
}

const LABELS = { pause: 'Pause', drain: 'Drain', resume: 'Resume' } as const;
type Change = keyof typeof LABELS;

/** Actions of an operator on a worker, by the current state of the worker. */
const POSSIBLE: Readonly<Record<Worker['desiredState'], readonly Change[]>> = {
  active: ['pause', 'drain'],
  paused: ['resume', 'drain'],
  draining: ['resume'],
  revoked: [],
};

function Changes({ worker: { id, name, desiredState } }: { worker: Worker }) {
  const { api } = useSession();
  const queries = useQueryClient();
  const change = useMutation({
    mutationFn: (what: Change | 'revoke') =>
      api.POST(`/v1/workers/{id}/${what}`, { params: { path: { id } }, body: {} }),
    onSettled: () => queries.invalidateQueries({ queryKey: ['workers'] }),
  });
  if (desiredState === 'revoked') return <span className="muted">none</span>;
  return (
    <div className="actions">
      {POSSIBLE[desiredState].map((what) => (
        <button
          key={what}
          type="button"
          disabled={change.isPending}
          aria-label={`${LABELS[what]} ${name}`}
          onClick={() => {
            change.mutate(what);
          }}
        >
          {LABELS[what]}
        </button>
      ))}
      <Confirmed
        label={`Revoke ${name}`}
        short="Revoke"
        question={`The credentials of ${name} become invalid at once, and permanently. To return, the worker must join again.`}
        confirm="Revoke"
        act={() => {
          change.mutate('revoke');
        }}
      />
      <Trouble error={change.error} />
    </div>
  );
}
