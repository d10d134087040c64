import { randomUUID } from 'node:crypto';
import type { JoinToken, JoinTokenRequest } from '@alphaflops/contracts';
import { newSecret, notFound, sha256 } from '@alphaflops/http';
import { AccessStore, type TokenRecord } from '@alphaflops/store';
import { Injectable } from '@nestjs/common';

/** Makes secrets, keeps their digests. */
@Injectable()
export class TokensService {
  constructor(private readonly store: AccessStore) {}

  /** Makes the admin token at the first start and returns it, the only time it can be seen; later null. */
  async createFirstAdmin(): Promise<string | null> {
    return (await this.store.tokens('admin')).length > 0 ? null : this.createAdmin();
  }

  /** A new admin token in place of all there were: for whoever has lost it. */
  async replaceAdmin(): Promise<string> {
    const now = new Date().toISOString();
    for (const { id } of await this.store.tokens('admin')) await this.store.revokeTokens({ id }, now);
    return this.createAdmin();
  }

  private async createAdmin(): Promise<string> {
    const secret = newSecret('admin');
    await this.store.putToken({ ...blank(), kind: 'admin', hash: sha256(secret), name: 'admin' });
    return secret;
  }

  async createJoinToken(request: JoinTokenRequest): Promise<{ record: JoinToken; secret: string }> {
    const secret = newSecret('join');
    const base = blank();
    const record: TokenRecord = {
      ...base,
      kind: 'join',
      hash: sha256(secret),
      name: request.name,
      labels: request.labels,
      maxUses: request.maxUses,
      expiresAt: new Date(Date.parse(base.createdAt) + request.expiresInS * 1000).toISOString(),
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

  /** A worker's own secret: its bearer token over HTTP and its password at Redis, which keeps only the digest too. */
  async createWorkerToken(workerId: string, name: string): Promise<{ secret: string; hash: string }> {
    const secret = newSecret('worker');
    const hash = sha256(secret);
    await this.store.putToken({ ...blank(), kind: 'worker', hash, name, workerId });
    return { secret, hash };
  }
}

function blank(): Omit<TokenRecord, 'kind' | 'hash'> {
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
