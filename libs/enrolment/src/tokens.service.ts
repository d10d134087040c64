import { randomUUID } from 'node:crypto';
import {
  ACCESS_ROLES,
  type AccessRole,
  type ApiToken,
  type ApiTokenRequest,
  type JoinToken,
  type JoinTokenRequest,
} from '@alphaflops/contracts';
import { ApiProblem, notFound } from '@alphaflops/http/problem';
import { newSecret, sha256 } from '@alphaflops/http/secrets';
import { AccessStore, type TokenRecord } from '@alphaflops/store';
import { Injectable } from '@nestjs/common';

const ADMIN: ApiTokenRequest = { name: 'admin', role: 'admin', expiresInS: null };
/** Every process uses this id, so that the store finds an existing token. */
const FIRST_ADMIN_ID = 'first-admin';
/** Duration of a session from a sign-in link. */
export const SESSION_S = 12 * 3600;

/** Makes secrets and stores their digests. */
@Injectable()
export class TokensService {
  constructor(private readonly store: AccessStore) {}

  /**
   * Makes the admin token at the first start and returns it. It is visible only then; later, the result is null. If several
   * coordinators start with an empty store, one of them makes it.
   */
  async createFirstAdmin(): Promise<string | null> {
    if ((await this.store.tokens('admin')).length > 0) return null;
    const { record, secret } = newApiToken(ADMIN);
    const isFirst = await this.store.addToken({ ...record, id: FIRST_ADMIN_ID });
    return isFirst ? secret : null;
  }

  /** Replaces all admin tokens, with sessions and unused sign-in links, with a new one, for an operator who has lost the token. */
  async replaceAdmin(): Promise<string> {
    const now = new Date().toISOString();
    for (const kind of ['admin', 'sign-in'] as const) {
      for (const { id } of await this.store.tokens(kind)) await this.store.revokeTokens({ id }, now);
    }
    return (await this.createApiToken(ADMIN)).secret;
  }

  async createApiToken(request: ApiTokenRequest): Promise<{ token: ApiToken; secret: string }> {
    const { record, secret } = newApiToken(request);
    await this.store.putToken(record);
    return { token: asApiToken(record, request.role), secret };
  }

  async apiTokens(): Promise<ApiToken[]> {
    const ofRole = async (role: AccessRole) =>
      (await this.store.tokens(role)).map((record) => asApiToken(record, role));
    return (await Promise.all(ACCESS_ROLES.map(ofRole))).flat();
  }

  async revokeApiToken(id: string): Promise<void> {
    const all = await this.apiTokens();
    if (!all.some((token) => token.id === id)) throw notFound('API token', id);
    const now = new Date().toISOString();
    // Sessions expire, so they do not count.
    const endsLater = inSeconds(now, SESSION_S);
    const isLasting = ({ revokedAt, expiresAt }: ApiToken) =>
      revokedAt === null && (expiresAt === null || Date.parse(expiresAt) > Date.parse(endsLater));
    const admins = all.filter((token) => token.role === 'admin' && isLasting(token));
    if (admins.length === 1 && admins[0]?.id === id) {
      throw new ApiProblem(
        409,
        'last-admin',
        'This is the last admin token, and nobody could make another one. Make another one first.',
      );
    }
    await this.store.revokeTokens({ id }, now);
  }

  async createJoinToken(request: JoinTokenRequest): Promise<{ record: JoinToken; secret: string }> {
    const secret = newSecret('join');
    const base = blankToken();
    const record: TokenRecord = {
      ...base,
      kind: 'join',
      hash: sha256(secret),
      name: request.name,
      labels: request.labels,
      maxUses: request.maxUses,
      expiresAt: inSeconds(base.createdAt, request.expiresInS),
    };
    await this.store.putToken(record);
    return { record: asJoinToken(record), secret };
  }

  async joinTokens(): Promise<JoinToken[]> {
    return (await this.store.tokens('join')).map(asJoinToken);
  }

  async revokeJoinToken(id: string): Promise<void> {
    const known = (await this.store.tokens('join')).some((token) => token.id === id);
    if (!known) throw notFound('join token', id);
    await this.store.revokeTokens({ id }, new Date().toISOString());
  }

  /** Makes a worker's bearer token and returns it. It is visible only then. */
  async createWorkerToken(workerId: string, name: string): Promise<string> {
    const secret = newSecret('worker');
    await this.store.putToken({ ...blankToken(), kind: 'worker', hash: sha256(secret), name, workerId });
    return secret;
  }
}

function newApiToken({ name, role, expiresInS }: ApiTokenRequest): { record: TokenRecord; secret: string } {
  const secret = newSecret(role);
  const base = blankToken();
  const expiresAt = expiresInS === null ? null : inSeconds(base.createdAt, expiresInS);
  return { record: { ...base, kind: role, hash: sha256(secret), name, expiresAt }, secret };
}

/** The common fields of tokens, without a name and without limits. */
export function blankToken(): Omit<TokenRecord, 'kind' | 'hash'> {
  return {
    id: randomUUID(),
    name: '',
    labels: {},
    workerId: null,
    createdAt: new Date().toISOString(),
    expiresAt: null,
    maxUses: null,
    uses: 0,
    revokedAt: null,
  };
}

function inSeconds(from: string, seconds: number): string {
  return new Date(Date.parse(from) + seconds * 1000).toISOString();
}

function asApiToken(record: Omit<TokenRecord, 'kind'>, role: AccessRole): ApiToken {
  const { id, name, createdAt, expiresAt, revokedAt } = record;
  return { id, name, role, createdAt, expiresAt, revokedAt };
}

function asJoinToken(record: TokenRecord): JoinToken {
  const { id, name, labels, createdAt, expiresAt, maxUses, uses, revokedAt } = record;
  return {
    id,
    name,
    labels,
    createdAt,
    expiresAt: expiresAt ?? createdAt,
    maxUses: maxUses ?? 1,
    uses,
    revokedAt,
  };
}
