import { type ApiClient, ApiError, createApiClient } from '@alphaflops/api-client';
import { createContext, type ReactNode, useContext, useEffect, useState } from 'react';

const KEY = 'alphaflops.token';
/** Id of the token, if a sign-in link made it. */
const SESSION_KEY = 'alphaflops.session';

/** The coordinator that served this page, without a slash at the end. */
export const COORDINATOR = new URL('.', window.location.href.split('#')[0]).href.replace(/\/$/, '');

/** The token outlives the tab only if the user requested this. */
export function keptToken(): string | null {
  return sessionStorage.getItem(KEY) ?? localStorage.getItem(KEY);
}

export function keepToken(token: string, remember: boolean): void {
  forgetToken();
  (remember ? localStorage : sessionStorage).setItem(KEY, token);
}

export function forgetToken(): void {
  sessionStorage.removeItem(KEY);
  localStorage.removeItem(KEY);
  sessionStorage.removeItem(SESSION_KEY);
}

/**
 * Removes the code of a sign-in link from the address, so that neither the address bar nor the history of this tab
 * keeps it. Returns the code, or null if the address is not such a link.
 */
export function takeSignInCode(): string | null {
  const code = /^#\/sign-in\/([\w-]+)$/.exec(window.location.hash)?.[1] ?? null;
  if (code !== null) history.replaceState(null, '', `${location.pathname}${location.search}#/`);
  return code;
}

/**
 * Exchanges the code of a sign-in link for a token, and keeps it for this tab.
 * @throws ApiError with the problem of the link
 */
export async function signInWith(code: string): Promise<string> {
  const { id, token } = answered((await apiWith(code).POST('/v1/sessions')).data);
  keepToken(token, false);
  sessionStorage.setItem(SESSION_KEY, id);
  return token;
}

/** Ends a session that a link opened. A session without the right to do so ends by itself after some hours. */
export async function endSession(token: string): Promise<void> {
  const id = sessionStorage.getItem(SESSION_KEY);
  if (id === null || !looksLikeAdmin({ token })) return;
  await apiWith(token)
    .DELETE('/v1/tokens/{id}', { params: { path: { id } } })
    .catch(() => undefined);
}

export interface Session {
  /** Null: a reader of the public pages. */
  readonly token: string | null;
  readonly api: ApiClient;
}

export function apiWith(token: string | null): ApiClient {
  return createApiClient({ url: COORDINATOR, token: token ?? undefined });
}

/** Whether this deployment shows pages without a token; null: not known yet. */
export function usePublicRead(isNeeded: boolean): boolean | null {
  const [isPublic, setPublic] = useState<boolean | null>(null);
  useEffect(() => {
    if (!isNeeded) return;
    apiWith(null)
      .GET('/v1/access')
      .then(
        ({ data }) => {
          setPublic(data?.publicRead === true);
        },
        () => {
          setPublic(false);
        },
      );
  }, [isNeeded]);
  return isPublic;
}

/** Content only for users with a token: numbers of the fleet, and buttons that change something. */
export function SignedInOnly({ children }: { children: ReactNode }) {
  return useSession().token === null ? null : children;
}

/** The name of a token contains its role, but the server decides by its stored role. */
export function looksLikeAdmin({ token }: Pick<Session, 'token'>): boolean {
  return token?.startsWith('af_admin_') === true;
}

export const SessionContext = createContext<Session | null>(null);

export function useSession(): Session {
  const session = useContext(SessionContext);
  if (session === null) throw new Error('there is no session');
  return session;
}

/** A GET that answers with a stream or a file. */
export async function fetchRaw(
  { token }: Pick<Session, 'token'>,
  path: string,
  init: { accept?: string; signal?: AbortSignal } = {},
): Promise<Response> {
  const answer = await fetch(COORDINATOR + path, {
    headers: {
      ...(token !== null && { authorization: `Bearer ${token}` }),
      ...(init.accept && { accept: init.accept }),
    },
    signal: init.signal ?? null,
  });
  if (answer.ok) return answer;
  const problem = (await answer.json().catch(() => ({}))) as { code?: string; detail?: string };
  throw new ApiError(
    answer.status,
    problem.code ?? 'unavailable',
    problem.detail ?? `The server answered ${answer.status}.`,
  );
}

/** Narrows the result of openapi-fetch: every answer without data has already thrown an `ApiError`. */
export function answered<T>(data: T | undefined): T {
  if (data === undefined) throw new Error('the answer is empty');
  return data;
}
