import { type ApiClient, ApiError, createApiClient } from '@alphaflops/api-client';
import { createContext, useContext } from 'react';

const KEY = 'alphaflops.token';

/** The coordinator that served this page, without a slash at the end. */
export const COORDINATOR = new URL('.', window.location.href.split('#')[0]).href.replace(/\/$/, '');

/** The token outlives the tab only where a person has asked for it. */
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
}

export interface Session {
  readonly token: string;
  readonly api: ApiClient;
  readonly signOut: () => void;
}

export function apiWith(token: string): ApiClient {
  return createApiClient({ url: COORDINATOR, token });
}

/** Tokens say their role in their name; the server decides by what it has stored. */
export function looksLikeAdmin({ token }: Pick<Session, 'token'>): boolean {
  return token.startsWith('af_admin_');
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
    headers: { authorization: `Bearer ${token}`, ...(init.accept && { accept: init.accept }) },
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

/** What openapi-fetch leaves open: `ApiError` is thrown for everything without data. */
export function answered<T>(data: T | undefined): T {
  if (data === undefined) throw new Error('the answer is empty');
  return data;
}
