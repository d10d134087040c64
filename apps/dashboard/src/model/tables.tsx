import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import type { Model } from '../api.js';
import { count, moment, percent, significant } from '../format.js';
import { answered, SignedInOnly, useSession } from '../session.js';
import { Badge, Field, Panel, TableBox, Trouble } from '../ui.js';
import { heldOutOf } from '../api.js';
import { ChangeStatus } from './model-status.js';

const SYMBOLS: Readonly<Record<string, string>> = { beta: 'β', gamma: 'γ' };
/** Limits above which the coefficients of a form are not shown: in a group, and in total. */
const READABLE = 12;
const READABLE_IN_ALL = 60;

/** The common parts of time and energy. */
type Cost = Pick<Model, 'forms' | 'chosenForm' | 'interval' | 'notes'>;

export function FormsTable({ title, cost: model }: { title: string; cost: Cost }) {
  return (
    <Panel title={title} unit="on held-out shapes, %">
      <TableBox label={title}>
        <table>
          <thead>
            <tr>
              <th>Form</th>
              <th className="number">Median error, %</th>
              <th className="number">Mean error, %</th>
              <th className="number">Within 10 %, %</th>
              <th className="number">Within 20 %, %</th>
              <th className="number">R² of logs</th>
              <th className="number">In {percent(model.interval.coverage, 0)} interval, %</th>
            </tr>
          </thead>
          <tbody>
            {model.forms.map(({ form, heldOut }) => (
              <tr key={form}>
                <td>{form === model.chosenForm ? <strong>{form} (chosen)</strong> : form}</td>
                {heldOut === null ? (
                  <td colSpan={6}>too few shapes to hold any out</td>
                ) : (
                  <>
                    {[heldOut.medianApe, heldOut.mape, heldOut.within10, heldOut.within20].map(
                      (share, at) => (
                        <td key={at} className="number">
                          {(100 * share).toFixed(1)}
                        </td>
                      ),
                    )}
                    <td className="number">{heldOut.r2Log?.toFixed(3) ?? '–'}</td>
                    <td className="number">
                      {form === model.chosenForm && heldOut.coverage !== null
                        ? (100 * heldOut.coverage).toFixed(1)
                        : '–'}
                    </td>
                  </>
                )}
              </tr>
            ))}
          </tbody>
        </table>
      </TableBox>
      <p className="hint">{coverageText(model)}</p>
      {model.notes.length > 0 && (
        <ul className="notes">
          {model.notes.map((note) => (
            <li key={note}>{note}</li>
          ))}
        </ul>
      )}
    </Panel>
  );
}

/** Compares the coverage of the published interval with the requested one. */
function coverageText({ forms, chosenForm, interval }: Cost): string {
  const requested = percent(interval.coverage, 0);
  const found = forms.find(({ form }) => form === chosenForm)?.heldOut?.coverage;
  if (interval.logHalfWidth === null) return 'Too few shapes for an interval.';
  const width = `Predictions come with a ${requested} interval, typically ÷× ${Math.exp(interval.logHalfWidth).toFixed(2)}`;
  return found === null || found === undefined
    ? `${width}.`
    : `${width}; ${percent(found)} of the held-out shapes were inside their interval.`;
}

export function Coefficients({ model }: { model: Model }) {
  const isLong = ({ groups }: Model['forms'][number]) =>
    groups.some(({ parameters }) => parameters.length > READABLE) ||
    groups.reduce((sum, { parameters }) => sum + parameters.length, 0) > READABLE_IN_ALL;
  const rows = model.forms
    .filter((form) => !isLong(form))
    .flatMap(({ form, groups }) =>
      groups.flatMap(({ group, n, parameters }) =>
        parameters.map((parameter) => ({ form, group, n, parameter })),
      ),
    );
  const hidden = model.forms.filter(isLong);
  return (
    <Panel title="Coefficients" unit="value ± standard error">
      <TableBox label="Coefficients">
        <table>
          <thead>
            <tr>
              <th>Form</th>
              <th>Kernels</th>
              <th className="number">Samples</th>
              <th>Coefficient</th>
              <th className="number">Value</th>
              <th className="number">Standard error</th>
              <th>Unit</th>
            </tr>
          </thead>
          <tbody>
            {rows.map(({ form, group, n, parameter: { name, value, unit, standardError, state } }) => (
              <tr key={`${form} ${group} ${name}`}>
                <td>{form}</td>
                <td>{group}</td>
                <td className="number">{count(n)}</td>
                <td>{SYMBOLS[name] ?? name}</td>
                <td className="number">
                  {state === 'not-identifiable' ? 'not identifiable' : significant(value)}
                  {state === 'on-bound' && ' (on its bound)'}
                </td>
                <td className="number">
                  {state === 'estimated' && standardError !== null
                    ? `± ${significant(standardError, 2)}`
                    : '–'}
                </td>
                <td>{state === 'not-identifiable' || unit === '1' ? '' : unit}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </TableBox>
      {hidden.length > 0 && (
        <p className="hint">
          {hidden.map(({ form }) => form).join(', ')}: too many coefficients to show; they are in the model’s
          document (GET /v1/models/{model.id}).
        </p>
      )}
    </Panel>
  );
}

/** Error by kernel, and the error with an assumed kernel. */
export function KernelsTable({ kernels }: { kernels: NonNullable<Model['kernels']> }) {
  const { labels, given, accuracy, heldOut, errors } = kernels;
  return (
    <Panel title="Error by kernel" unit="kernel given, on held-out shapes">
      <TableBox label="Error by kernel">
        <table>
          <thead>
            <tr>
              <th>Kernel</th>
              <th className="number">Samples</th>
              <th className="number">Median error, %</th>
            </tr>
          </thead>
          <tbody>
            {errors.map(({ kernel, n, medianApe }) => (
              <tr key={kernel}>
                <td>{kernel}</td>
                <td className="number">{count(n)}</td>
                <td className="number">{(100 * medianApe).toFixed(1)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </TableBox>
      <p className="hint">
        The kernel of {count(given)} samples was given. The classifier learned from {count(labels)} shapes and
        predicts {percent(accuracy)} of the held-out kernels correctly. With an assumed kernel, the median
        error is {percent(heldOut.medianApe)}.
      </p>
    </Panel>
  );
}

export function Versions(props: { models: readonly Model[]; shown: Model; onShow: (id: string) => void }) {
  const { models, shown, onShow } = props;
  const servedId = models.find(({ status }) => status === 'published')?.id;
  return (
    <Panel title="Versions" unit="newest first">
      <TableBox label="Versions">
        <table>
          <thead>
            <tr>
              <th>Version</th>
              <th>Status</th>
              <th>Form</th>
              <th className="number">Median error, %</th>
              <th className="number">Shapes</th>
              <th>Fitted</th>
              <th>Show</th>
              <SignedInOnly>
                <th>Serve</th>
              </SignedInOnly>
            </tr>
          </thead>
          <tbody>
            {models.map((model) => (
              <tr key={model.id}>
                <td>v{model.version}</td>
                <td>
                  <Badge state={model.id === servedId ? 'served' : model.status} />
                  {model.statusReason !== null && <small>{model.statusReason}</small>}
                </td>
                <td>{model.chosenForm}</td>
                <td className="number">{percent(heldOutOf(model)?.medianApe).replace(' %', '')}</td>
                <td className="number">{count(model.data.shapes)}</td>
                <td>{moment(model.createdAt)}</td>
                <td>
                  {model.id === shown.id ? (
                    'shown'
                  ) : (
                    <button
                      type="button"
                      aria-label={`Show version ${model.version ?? ''}`}
                      onClick={() => {
                        onShow(model.id ?? '');
                      }}
                    >
                      Show
                    </button>
                  )}
                </td>
                <SignedInOnly>
                  <td>
                    <ChangeStatus model={model} />
                  </td>
                </SignedInOnly>
              </tr>
            ))}
          </tbody>
        </table>
      </TableBox>
      <p className="hint">
        The newest published version is served. A candidate is not served, because it was worse than the
        served version when it was fitted.
      </p>
      {models.length > 1 && <Differences models={models} shown={shown} />}
    </Panel>
  );
}

function Differences({ models, shown }: { models: readonly Model[]; shown: Model }) {
  const { api } = useSession();
  const others = models.filter(({ id }) => id !== shown.id);
  const [selectedId, setSelectedId] = useState('');
  const other = others.find(({ id }) => id === selectedId) ?? others[0];
  const diff = useQuery({
    queryKey: ['diff', other?.id, shown.id],
    queryFn: async () => {
      const path = { id: other?.id ?? '', other: shown.id ?? '' };
      return answered((await api.GET('/v1/models/{id}/diff/{other}', { params: { path } })).data);
    },
    staleTime: Infinity,
  });
  const { origin = [], errors = [], interval = [], parameters = [] } = diff.data ?? {};
  const rows = [...origin, ...errors, ...interval, ...parameters].slice(0, 40);
  return (
    <>
      <Field label={`What changed to v${shown.version ?? ''} from`}>
        <select
          value={other?.id ?? ''}
          onChange={({ target }) => {
            setSelectedId(target.value);
          }}
        >
          {others.map(({ id, version }) => (
            <option key={id} value={id ?? ''}>
              v{version}
            </option>
          ))}
        </select>
      </Field>
      <Trouble error={diff.error} />
      <TableBox label="What changed">
        <table>
          <thead>
            <tr>
              <th>What</th>
              <th className="number">Before</th>
              <th className="number">After</th>
            </tr>
          </thead>
          <tbody>
            {rows.map(({ what, before, after }) => (
              <tr key={what}>
                <td>{what}</td>
                <td className="number">{cell(before)}</td>
                <td className="number">{cell(after)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </TableBox>
    </>
  );
}

function cell(value: string | number | null): string {
  if (value === null) return '–';
  return typeof value === 'number'
    ? significant(value)
    : value.length > 24
      ? `${value.slice(0, 12)}…`
      : value;
}
