import { ApiError } from '@alphaflops/api-client';
import { type ReactNode, useEffect, useId, useRef, useState } from 'react';

/** A part of a page with a title. `unit` follows the title. */
export function Panel(props: { title: string; unit?: string; actions?: ReactNode; children: ReactNode }) {
  const id = useId();
  return (
    <section className="panel" aria-labelledby={id}>
      <header>
        <h2 id={id}>
          {props.title}
          {props.unit !== undefined && <span className="unit"> {props.unit}</span>}
        </h2>
        {props.actions !== undefined && <div className="actions">{props.actions}</div>}
      </header>
      {props.children}
    </section>
  );
}

export function PageHead(props: { title: ReactNode; lead?: ReactNode; actions?: ReactNode }) {
  return (
    <div className="page-head">
      <div>
        <h1>{props.title}</h1>
        {props.lead !== undefined && <p className="lead">{props.lead}</p>}
      </div>
      {props.actions !== undefined && <div className="actions">{props.actions}</div>}
    </div>
  );
}

/** Text for an empty list, with the next step. */
export function Empty(props: { title: string; children: ReactNode }) {
  return (
    <div className="empty">
      <p className="empty-title">{props.title}</p>
      <div>{props.children}</div>
    </div>
  );
}

export function Stat(props: { label: string; value: ReactNode; unit?: string }) {
  return (
    <div className="stat">
      <dt>{props.label}</dt>
      <dd>
        {props.value}
        {props.unit !== undefined && <span className="unit"> {props.unit}</span>}
      </dd>
    </div>
  );
}

const TONES: Readonly<Record<string, string>> = {
  online: 'good',
  completed: 'good',
  published: 'good',
  served: 'good',
  candidate: 'warn',
  ok: 'good',
  running: 'busy',
  planned: 'busy',
  fitting: 'busy',
  measuring: 'busy',
  idle: 'good',
  paused: 'warn',
  draining: 'warn',
  stale: 'warn',
  failed: 'bad',
  revoked: 'bad',
  cancelled: 'off',
  offline: 'off',
};

/** A state as a word. The colour only repeats it. */
export function Badge({ state }: { state: string }) {
  return <span className={`badge ${TONES[state] ?? 'off'}`}>{state}</span>;
}

/** An error with the message of the coordinator. */
export function Trouble({ error, onRetry }: { error: Error | null; onRetry?: () => void }) {
  if (error === null) return null;
  const errors = error instanceof ApiError ? error.problem?.errors : undefined;
  return (
    <div className="trouble" role="alert">
      {errors === undefined || errors.length === 0 ? (
        <p>{error.message}</p>
      ) : (
        errors.map(({ path, message }) => (
          <p key={path + message}>
            <strong>{path}</strong>: {message}
          </p>
        ))
      )}
      {onRetry !== undefined && (
        <button type="button" onClick={onRetry}>
          Try again
        </button>
      )}
    </div>
  );
}

export function Busy({ what }: { what: string }) {
  return (
    <p className="busy" role="status">
      Loading {what} …
    </p>
  );
}

/** A wide table scrolls inside its box and does not scroll the page. The keyboard can reach and scroll it. */
export function TableBox({ label, children }: { label: string; children: ReactNode }) {
  return (
    <div className="table-box" role="region" aria-label={label} tabIndex={0}>
      {children}
    </div>
  );
}

export function Field(props: { label: string; hint?: string; children: ReactNode }) {
  return (
    <label className="field">
      <span className="field-label">{props.label}</span>
      {props.children}
      {props.hint !== undefined && <span className="hint">{props.hint}</span>}
    </label>
  );
}

/** A modal dialog of the browser: focus stays in it, Escape closes it. */
export function Dialog(props: { title: string; onClose: () => void; children: ReactNode }) {
  const dialog = useRef<HTMLDialogElement>(null);
  const id = useId();
  useEffect(() => {
    dialog.current?.showModal();
  }, []);
  return (
    <dialog ref={dialog} aria-labelledby={id} onClose={props.onClose}>
      <h2 id={id}>{props.title}</h2>
      {props.children}
    </dialog>
  );
}

/** A button with a confirmation. `short` is its text if `label` would be too long. */
export function Confirmed(props: {
  label: string;
  short?: string;
  question: string;
  confirm: string;
  act: () => void;
}) {
  const [isAsking, setAsking] = useState(false);
  const close = () => {
    setAsking(false);
  };
  return (
    <>
      <button
        type="button"
        className="danger"
        aria-label={props.label}
        onClick={() => {
          setAsking(true);
        }}
      >
        {props.short ?? props.label}
      </button>
      {isAsking && (
        <Dialog title={props.label} onClose={close}>
          <p>{props.question}</p>
          <div className="actions">
            <button
              type="button"
              className="danger"
              onClick={() => {
                close();
                props.act();
              }}
            >
              {props.confirm}
            </button>
            <button type="button" onClick={close}>
              Keep
            </button>
          </div>
        </Dialog>
      )}
    </>
  );
}

/** Copies a text and confirms it. */
export function Copy({ text, label = 'Copy' }: { text: () => string; label?: string }) {
  const [message, setMessage] = useState('');
  const copy = () => {
    navigator.clipboard.writeText(text()).then(
      () => {
        setMessage('Copied');
      },
      () => {
        setMessage('Not allowed: copy the text yourself');
      },
    );
  };
  return (
    <button type="button" onClick={copy} aria-live="polite">
      {message === '' ? label : message}
    </button>
  );
}

/** The largest value of a column fills its bar. */
export function Bar({ share, label }: { share: number; label: string }) {
  return (
    <span className="bar" role="img" aria-label={label}>
      <span style={{ width: `${100 * Math.min(1, Math.max(0, share))}%` }} />
    </span>
  );
}
