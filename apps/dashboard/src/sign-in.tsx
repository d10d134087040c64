import { type SyntheticEvent, useState } from 'react';
import { apiWith, keepToken } from './session.js';
import { Field, Trouble } from './ui.js';

/** Requests a token, and checks it before it stores it. */
export function SignIn(props: {
  refusal: string;
  onToken: (token: string) => void;
  /** Returns to the pages that need no token; absent: this deployment has no such pages. */
  onLeave?: () => void;
}) {
  const { refusal, onToken, onLeave } = props;
  const [token, setToken] = useState('');
  const [remember, setRemember] = useState(false);
  const [error, setError] = useState<Error | null>(refusal === '' ? null : new Error(refusal));
  const [isTrying, setTrying] = useState(false);

  const tryToken = async (): Promise<void> => {
    setTrying(true);
    setError(null);
    try {
      await apiWith(token.trim()).GET('/v1/workers', { params: { query: { limit: 1 } } });
      keepToken(token.trim(), remember);
      onToken(token.trim());
    } catch (caught) {
      setError(caught instanceof Error ? caught : new Error(String(caught)));
      setTrying(false);
    }
  };
  const submit = (event: SyntheticEvent) => {
    event.preventDefault();
    void tryToken();
  };

  return (
    <main className="sign-in">
      <form onSubmit={submit}>
        <h1>
          <span aria-hidden="true">α</span>flops
        </h1>
        <p className="lead">Measured cost models of convolutions, one for each device class.</p>
        <Field
          label="Token"
          hint="The admin token, which “alphaflops up” shows at the first start and stores in cli.json, or another token of the API. If it is lost: “alphaflops up --new-admin-token” replaces it."
        >
          <input
            type="password"
            name="token"
            autoComplete="current-password"
            placeholder="af_admin_…"
            required
            autoFocus
            value={token}
            onChange={({ target }) => {
              setToken(target.value);
            }}
          />
        </Field>
        <label className="check">
          <input
            type="checkbox"
            checked={remember}
            onChange={({ target }) => {
              setRemember(target.checked);
            }}
          />
          <span>Keep me signed in on this computer (otherwise until this tab is closed)</span>
        </label>
        <Trouble error={error} />
        <button type="submit" className="primary" disabled={isTrying}>
          {isTrying ? 'Trying …' : 'Sign in'}
        </button>
        {onLeave !== undefined && (
          <button type="button" onClick={onLeave}>
            Read without signing in
          </button>
        )}
        <p className="hint">
          Without a token: “alphaflops token link” on the machine of the coordinator prints a link that signs
          in. A link works once, within 15 minutes.
        </p>
        <p className="hint">
          The token stays in this browser and is sent to this coordinator only. An admin token has all rights:
          use it on computers you trust. The <a href="./docs">API page</a> describes the requests of these
          pages.
        </p>
      </form>
    </main>
  );
}
