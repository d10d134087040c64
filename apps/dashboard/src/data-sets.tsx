import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { type SyntheticEvent, useState } from 'react';
import { download } from './download.js';
import { count, moment } from './format.js';
import type { SampleFilter } from './samples.js';
import { answered, SignedInOnly, useSession } from './session.js';
import { Field, Panel, TableBox, Trouble } from './ui.js';

const SHOWN = 20;

/** Frozen snapshots of samples, to cite and to share. */
export function DataSets({ filter, canFreeze }: { filter: SampleFilter; canFreeze: boolean }) {
  const session = useSession();
  const sets = useQuery({
    queryKey: ['data-sets'],
    queryFn: async () =>
      answered((await session.api.GET('/v1/datasets', { params: { query: { limit: SHOWN } } })).data).items,
  });
  const saving = useMutation({
    mutationFn: ([path, name]: readonly [string, string]) => download(session, path, name),
  });
  // The archive names workers and hosts, so it needs a token.
  const [label, place, ending] =
    session.token === null
      ? (['canonical CSV', 'samples', 'csv'] as const)
      : (['ZIP with Parquet and card', 'archive', 'zip'] as const);
  if (sets.data?.length === 0 && !canFreeze) return null;
  return (
    <Panel title="Data sets" unit="frozen samples, to cite and to share; the id is the digest of the content">
      <Trouble error={sets.error ?? saving.error} />
      {sets.data !== undefined && sets.data.length > 0 && (
        <TableBox label="Data sets">
          <table>
            <thead>
              <tr>
                <th>Name</th>
                <th className="number">Samples</th>
                <th>Licence</th>
                <th>Frozen</th>
                <th>Id</th>
                <th>Download</th>
              </tr>
            </thead>
            <tbody>
              {sets.data.map(({ id, name, version, rows, licence, createdAt }) => (
                <tr key={id}>
                  <td>
                    {name} v{version}
                  </td>
                  <td className="number">{count(rows)}</td>
                  <td>{licence}</td>
                  <td>{moment(createdAt)}</td>
                  <td>
                    <code title={id}>{id.slice(0, 12)}…</code>
                  </td>
                  <td>
                    <button
                      type="button"
                      aria-label={`${label} of ${name} v${version}`}
                      disabled={saving.isPending}
                      onClick={() => {
                        saving.mutate([`/v1/datasets/${id}/${place}`, `${name}-v${version}.${ending}`]);
                      }}
                    >
                      {label}
                    </button>
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </TableBox>
      )}
      <SignedInOnly>{canFreeze && <Freeze filter={filter} />}</SignedInOnly>
    </Panel>
  );
}

function Freeze({ filter }: { filter: SampleFilter }) {
  const { api } = useSession();
  const queries = useQueryClient();
  const [name, setName] = useState('samples');
  const freeze = useMutation({
    mutationFn: async () => answered((await api.POST('/v1/datasets', { body: { name, filter } })).data),
    onSuccess: () => queries.invalidateQueries({ queryKey: ['data-sets'] }),
  });
  const submit = (event: SyntheticEvent) => {
    event.preventDefault();
    freeze.mutate();
  };
  return (
    <form className="fields" onSubmit={submit}>
      <Field label="Name of the data set" hint="snapshots of one name are its versions">
        <input
          value={name}
          required
          pattern="[a-z0-9][a-z0-9._\-]{0,79}"
          title="a–z, 0–9, “.”, “_”, “-”"
          onChange={({ target }) => {
            setName(target.value);
          }}
        />
      </Field>
      <div>
        <button type="submit" disabled={freeze.isPending}>
          {freeze.isPending ? 'Freezing …' : 'Freeze the ok samples that match'}
        </button>
        <p className="hint">
          Under CC BY 4.0; “alphaflops dataset export” takes title, licence and creators.
        </p>
        <Trouble error={freeze.error} />
      </div>
    </form>
  );
}
