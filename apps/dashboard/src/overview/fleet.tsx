import { Link } from 'wouter';
import type { Worker } from '../api.js';
import { Badge, Bar, Panel, TableBox } from '../ui.js';

/** Ordered by importance for the reader. */
const STATES = ['measuring', 'idle', 'paused', 'draining', 'offline', 'stale', 'revoked'] as const;

/** One word for the state of a worker: measuring, or the reason why it does not measure. */
function stateOf({ presence, desiredState, activity }: Worker): (typeof STATES)[number] {
  if (desiredState === 'revoked') return 'revoked';
  if (presence !== 'online') return presence;
  if (desiredState !== 'active') return desiredState;
  return activity === 'measuring' ? 'measuring' : 'idle';
}

export function Fleet({ workers }: { workers: readonly Worker[] }) {
  const states = workers.map(stateOf);
  return (
    <Panel
      title="Fleet"
      unit={`${workers.length} ${workers.length === 1 ? 'worker' : 'workers'}`}
      actions={<Link href="/workers">All workers</Link>}
    >
      {workers.length === 0 && (
        <p className="hint">
          No worker has joined. <Link href="/workers">Add a node</Link>
        </p>
      )}
      <TableBox label="Fleet by state">
        <table>
          <thead>
            <tr>
              <th>State</th>
              <th className="number">Workers</th>
              <th aria-label="Share as a bar" />
            </tr>
          </thead>
          <tbody>
            {STATES.map((state) => ({ state, n: states.filter((each) => each === state).length }))
              .filter(({ n }) => n > 0)
              .map(({ state, n }) => (
                <tr key={state}>
                  <td>
                    <Badge state={state} />
                  </td>
                  <td className="number">{n}</td>
                  <td className="bar-cell">
                    <Bar share={n / workers.length} label={`${n} of ${workers.length}`} />
                  </td>
                </tr>
              ))}
          </tbody>
        </table>
      </TableBox>
    </Panel>
  );
}
