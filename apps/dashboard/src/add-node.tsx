import { useMutation, useQueryClient } from '@tanstack/react-query';
import { type SyntheticEvent, useState } from 'react';
import { useWorkers } from './api.js';
import { moment } from './format.js';
import { answered, useSession } from './session.js';
import { Copy, Dialog, Field, Trouble } from './ui.js';

const HOURS = [
  ['1 hour', 3_600],
  ['1 day', 86_400],
  ['7 days', 604_800],
] as const;

/** Makes a join token and shows the line to run on the machine that joins. */
export function AddNode({ onClose }: { onClose: () => void }) {
  const { api } = useSession();
  const queries = useQueryClient();
  const [form, setForm] = useState({ name: '', uses: '1', expiresInS: 3_600, labels: '' });
  const make = useMutation({
    mutationFn: async () => {
      const body = {
        name: form.name,
        maxUses: Number(form.uses),
        expiresInS: form.expiresInS,
        labels: labelsOf(form.labels),
      };
      return answered((await api.POST('/v1/join-tokens', { body })).data);
    },
  });
  const submit = (event: SyntheticEvent) => {
    event.preventDefault();
    make.mutate();
  };
  const close = () => {
    void queries.invalidateQueries({ queryKey: ['workers'] });
    onClose();
  };
  if (make.data !== undefined) {
    const { command, createdAt, expiresAt, maxUses } = make.data;
    return (
      <Dialog title="Run this on the node" onClose={close}>
        <p>
          Paste it into a shell on a Linux machine that reaches this address. It needs no root rights and
          nothing installed.
        </p>
        <pre className="command" tabIndex={0} aria-label="Command to run on the node">
          {command}
        </pre>
        <p className="hint">
          This line is shown once. It is valid until {moment(expiresAt)}, for{' '}
          {maxUses === 1 ? 'one machine' : `${maxUses} machines`}. With “--service” at its end the worker
          keeps running.
        </p>
        <Joined since={createdAt} />
        <div className="actions">
          <Copy text={() => command} label="Copy the line" />
          <button type="button" className="primary" onClick={close}>
            Done
          </button>
        </div>
      </Dialog>
    );
  }
  return (
    <Dialog title="Add a node" onClose={close}>
      <form onSubmit={submit} className="fields">
        <Field label="Name of the token" hint="For people, such as the rack, or who requested it.">
          <input
            maxLength={120}
            value={form.name}
            onChange={({ target }) => {
              setForm({ ...form, name: target.value });
            }}
          />
        </Field>
        <Field label="Machines that may join with it">
          <input
            type="number"
            required
            min={1}
            max={10_000}
            value={form.uses}
            onChange={({ target }) => {
              setForm({ ...form, uses: target.value });
            }}
          />
        </Field>
        <Field label="Valid for">
          <select
            value={form.expiresInS}
            onChange={({ target }) => {
              setForm({ ...form, expiresInS: Number(target.value) });
            }}
          >
            {HOURS.map(([label, seconds]) => (
              <option key={seconds} value={seconds}>
                {label}
              </option>
            ))}
          </select>
        </Field>
        <Field
          label="Labels"
          hint="key=value, separated by commas; every worker that joins with it gets them."
        >
          <input
            value={form.labels}
            placeholder="rack=7, room=b"
            pattern="\s*([^=,]+=[^,]*)?(,\s*[^=,]+=[^,]*)*\s*"
            onChange={({ target }) => {
              setForm({ ...form, labels: target.value });
            }}
          />
        </Field>
        <Trouble error={make.error} />
        <div className="actions">
          <button type="submit" className="primary" disabled={make.isPending}>
            Make the token
          </button>
          <button type="button" onClick={close}>
            Close
          </button>
        </div>
      </form>
    </Dialog>
  );
}

/** Machines that have joined since the token was made. */
function Joined({ since }: { since: string }) {
  const workers = useWorkers(1_000);
  const joined = (workers.data ?? []).filter(({ enrolledAt }) => enrolledAt >= since);
  return (
    <div role="status" aria-live="polite">
      {joined.length === 0 && <p className="joining">Waiting for the machine …</p>}
      {joined.map(({ id, name, presence }) => (
        <p key={id} className={presence === 'online' ? 'joining good' : 'joining'}>
          {name} {presence === 'online' ? 'is online' : 'has joined and is starting'} ({id})
        </p>
      ))}
    </div>
  );
}

function labelsOf(text: string): Record<string, string> {
  const pairs = text
    .split(',')
    .map((pair) => pair.trim())
    .filter((pair) => pair !== '')
    .map((pair) => {
      const at = pair.indexOf('=');
      return [pair.slice(0, at).trim(), pair.slice(at + 1).trim()];
    });
  return Object.fromEntries(pairs) as Record<string, string>;
}
