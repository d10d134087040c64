import {
  AccessStore,
  type ClaimLimits,
  type ConsumeResult,
  type StoredResponse,
  type TokenKind,
  type TokenRecord,
} from '@alphaflops/store';
import type { Connection } from './connection.js';

/** Maximum number of tokens in memory. Every request needs a token. */
const TOKENS_KEPT = 1_000;

export class SqliteAccessStore extends AccessStore {
  /** Existing tokens by hash. Every change clears the cache. No other process can write to the file. */
  private readonly known = new Map<string, Readonly<TokenRecord>>();

  constructor(private readonly connection: Connection) {
    super();
  }

  /**
   * Stores a token, or replaces the token with the same id.
   * @throws StoreError `already-exists` when another token has the same hash
   */
  override putToken(token: TokenRecord): Promise<void> {
    return this.connection.write(() => {
      this.known.clear();
      this.connection.run(
        'INSERT INTO tokens (id, kind, hash, worker_id, doc) VALUES (?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE ' +
          'SET kind = excluded.kind, hash = excluded.hash, worker_id = excluded.worker_id, doc = excluded.doc',
        [token.id, token.kind, token.hash, token.workerId, JSON.stringify(token)],
      );
    });
  }

  override addToken(token: TokenRecord): Promise<boolean> {
    // The token is new, so the cached tokens stay valid.
    return this.connection.write(
      () =>
        this.connection.run(
          'INSERT INTO tokens (id, kind, hash, worker_id, doc) VALUES (?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING',
          [token.id, token.kind, token.hash, token.workerId, JSON.stringify(token)],
        ) === 1,
    );
  }

  override tokenByHash(hash: string): Promise<TokenRecord | null> {
    return this.connection.read(() => {
      const token = this.known.get(hash) ?? this.find('hash = ?', hash)[0];
      if (token === undefined) return null;
      if (this.known.size >= TOKENS_KEPT) this.known.clear();
      this.known.set(hash, token);
      return { ...token };
    });
  }

  override tokens(kind: TokenKind): Promise<TokenRecord[]> {
    return this.connection.read(() => this.find('kind = ? ORDER BY seq', kind));
  }

  override consumeToken(kind: TokenKind, hash: string, now: string): Promise<ConsumeResult> {
    return this.connection.write((): ConsumeResult => {
      const token = this.find('hash = ?', hash)[0];
      if (token?.kind !== kind) return { ok: false, reason: 'unknown' };
      if (token.revokedAt !== null) return { ok: false, reason: 'revoked' };
      if (isExpired(token, now)) return { ok: false, reason: 'expired' };
      if (token.maxUses !== null && token.uses >= token.maxUses) return { ok: false, reason: 'used-up' };
      const used = { ...token, uses: token.uses + 1 };
      this.update(used);
      return { ok: true, token: used };
    });
  }

  override revokeTokens(which: { id: string } | { workerId: string }, now: string): Promise<number> {
    return this.connection.write(() => {
      const named =
        'id' in which ? this.find('id = ?', which.id) : this.find('worker_id = ?', which.workerId);
      const revocable = named.filter((token) => token.revokedAt === null);
      for (const token of revocable) this.update({ ...token, revokedAt: now });
      return revocable.filter((token) => !isExpired(token, now)).length;
    });
  }

  override claimIdempotencyKey(
    key: string,
    requestDigest: string,
    now: string,
    { expireBefore, abandonedBefore }: ClaimLimits,
  ): Promise<StoredResponse | null> {
    const claim: StoredResponse = { requestDigest, status: 0, body: null };
    return this.connection.write(() => {
      this.connection.run('DELETE FROM idempotency_keys WHERE created_at < ?', [Date.parse(expireBefore)]);
      // A claim without a response has exactly this document.
      this.connection.run('DELETE FROM idempotency_keys WHERE key = ? AND created_at < ? AND doc = ?', [
        key,
        Date.parse(abandonedBefore),
        JSON.stringify(claim),
      ]);
      const inserted = this.connection.run(
        'INSERT INTO idempotency_keys (key, created_at, doc) VALUES (?, ?, ?) ON CONFLICT (key) DO NOTHING',
        [key, Date.parse(now), JSON.stringify(claim)],
      );
      return inserted === 1 ? null : this.response(key);
    });
  }

  override renewIdempotencyKey(key: string, now: string): Promise<void> {
    return this.connection.write(() => {
      this.connection.run('UPDATE idempotency_keys SET created_at = ? WHERE key = ?', [Date.parse(now), key]);
    });
  }

  override storeResponse(key: string, status: number, body: string): Promise<void> {
    return this.connection.write(() => {
      const claim = this.response(key);
      // If the claim has expired in the meantime, no row matches, and no request needs the response.
      if (claim === null) return;
      this.connection.run('UPDATE idempotency_keys SET doc = ? WHERE key = ?', [
        JSON.stringify({ ...claim, status, body }),
        key,
      ]);
    });
  }

  override releaseIdempotencyKey(key: string): Promise<void> {
    return this.connection.write(() => {
      this.connection.run('DELETE FROM idempotency_keys WHERE key = ?', [key]);
    });
  }

  private find(
    where: 'id = ?' | 'hash = ?' | 'worker_id = ?' | 'kind = ? ORDER BY seq',
    value: string,
  ): TokenRecord[] {
    return this.connection.documents(`SELECT doc FROM tokens WHERE ${where}`, [value]) as TokenRecord[];
  }

  private update(token: TokenRecord): void {
    this.known.clear();
    this.connection.run('UPDATE tokens SET doc = ? WHERE id = ?', [JSON.stringify(token), token.id]);
  }

  private response(key: string): StoredResponse | null {
    const found = this.connection.documents('SELECT doc FROM idempotency_keys WHERE key = ?', [key]);
    return (found[0] ?? null) as StoredResponse | null;
  }
}

function isExpired(token: TokenRecord, now: string): boolean {
  return token.expiresAt !== null && Date.parse(token.expiresAt) <= Date.parse(now);
}
