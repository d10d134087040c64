import {
  AccessStore,
  type ClaimLimits,
  type ConsumeResult,
  type StoredResponse,
  type TokenKind,
  type TokenRecord,
} from '@alphaflops/store';
import type { Document } from 'mongodb';
import { MAX_TIME_MS } from './address.js';
import type { Connection } from './connection.js';
import { isDuplicateKey } from './mongo-error.js';
import { Records } from './records.js';

interface KeyDocument extends Document, StoredResponse {
  _id: string;
  createdOn: Date;
}

/** Thrown inside a change to keep the token unchanged. */
class Refused extends Error {
  constructor(readonly result: Extract<ConsumeResult, { ok: false }>) {
    super(result.reason);
  }
}

export class MongoAccessStore extends AccessStore {
  private readonly tokenRecords: Records<TokenRecord>;
  private readonly keys;

  constructor(private readonly connection: Connection) {
    super();
    this.tokenRecords = new Records<TokenRecord>(
      connection,
      'tokens',
      ({ hash, kind, workerId, createdAt }) => ({ hash, kind, workerId, createdOn: new Date(createdAt) }),
    );
    this.keys = connection.collection<KeyDocument>('idempotency_keys');
  }

  /**
   * Stores a token, or replaces the token with the same id.
   * @throws StoreError `already-exists` when another token has the same hash
   */
  override putToken(token: TokenRecord): Promise<void> {
    return this.connection.attempt(() => this.tokenRecords.replacement(token.id, token)(undefined));
  }

  override addToken(token: TokenRecord): Promise<boolean> {
    return this.connection.attempt(async () => {
      try {
        await this.tokenRecords.insert(token.id, token);
        return true;
      } catch (error) {
        if (isDuplicateKey(error) && (await this.tokenRecords.get(token.id)) !== null) return false;
        throw error;
      }
    });
  }

  override tokenByHash(hash: string): Promise<TokenRecord | null> {
    return this.connection.attempt(() => this.find(hash));
  }

  override tokens(kind: TokenKind): Promise<TokenRecord[]> {
    return this.connection.attempt(() =>
      this.tokenRecords.find({ kind: { $eq: kind } }, { createdOn: 1, _id: 1 }),
    );
  }

  override consumeToken(kind: TokenKind, hash: string, now: string): Promise<ConsumeResult> {
    return this.connection.attempt(async (): Promise<ConsumeResult> => {
      const unknown = { ok: false, reason: 'unknown' } as const;
      const found = await this.find(hash);
      if (found?.kind !== kind) return unknown;
      try {
        const used = await this.tokenRecords.change(found.id, (token) => {
          const reason = refusal(token, now);
          if (reason !== null) throw new Refused({ ok: false, reason });
          return { ...token, uses: token.uses + 1 };
        });
        return used === null ? unknown : { ok: true, token: used };
      } catch (error) {
        if (error instanceof Refused) return error.result;
        throw error;
      }
    });
  }

  override revokeTokens(which: { id: string } | { workerId: string }, now: string): Promise<number> {
    const filter = 'id' in which ? { _id: { $eq: which.id } } : { workerId: { $eq: which.workerId } };
    return this.connection.attempt(async () => {
      const alive = new Set<string>();
      for (const { id } of await this.tokenRecords.find(filter)) {
        await this.tokenRecords.change(id, (token) => {
          if (token.revokedAt === null && !isExpired(token, now)) alive.add(id);
          else alive.delete(id);
          return { ...token, revokedAt: token.revokedAt ?? now };
        });
      }
      return alive.size;
    });
  }

  override claimIdempotencyKey(
    key: string,
    requestDigest: string,
    now: string,
    { expireBefore, abandonedBefore }: ClaimLimits,
  ): Promise<StoredResponse | null> {
    return this.connection.attempt(async () => {
      await this.keys.deleteMany({ createdOn: { $lt: new Date(expireBefore) } });
      const taken = await this.keys.updateOne(
        {
          _id: { $eq: key },
          requestDigest: { $eq: requestDigest },
          body: null,
          createdOn: { $lt: new Date(abandonedBefore) },
        },
        { $set: { createdOn: new Date(now) } },
      );
      if (taken.matchedCount === 1) return null;
      for (;;) {
        try {
          const claim = { requestDigest, status: 0, body: null };
          await this.keys.insertOne({ _id: key, createdOn: new Date(now), ...claim });
          return null;
        } catch (error) {
          if (!isDuplicateKey(error)) throw error;
        }
        const found = await this.keys.findOne({ _id: { $eq: key } }, { maxTimeMS: MAX_TIME_MS });
        // Null when the key was released or deleted in the meantime. The request can claim it then.
        if (found !== null) {
          return { requestDigest: found.requestDigest, status: found.status, body: found.body };
        }
      }
    });
  }

  override renewIdempotencyKey(key: string, now: string): Promise<void> {
    return this.connection.attempt(async () => {
      await this.keys.updateOne({ _id: { $eq: key } }, { $set: { createdOn: new Date(now) } });
    });
  }

  override storeResponse(key: string, status: number, body: string): Promise<void> {
    // If the claim has expired in the meantime, no document matches, and no request needs the response.
    return this.connection.attempt(async () => {
      await this.keys.updateOne({ _id: { $eq: key } }, { $set: { status, body } });
    });
  }

  override releaseIdempotencyKey(key: string): Promise<void> {
    return this.connection.attempt(async () => {
      await this.keys.deleteOne({ _id: { $eq: key } });
    });
  }

  private find(hash: string): Promise<TokenRecord | null> {
    return this.tokenRecords.findOne({ hash: { $eq: hash } });
  }
}

function refusal(token: TokenRecord, now: string): 'revoked' | 'expired' | 'used-up' | null {
  if (token.revokedAt !== null) return 'revoked';
  if (isExpired(token, now)) return 'expired';
  return token.maxUses !== null && token.uses >= token.maxUses ? 'used-up' : null;
}

function isExpired(token: TokenRecord, now: string): boolean {
  return token.expiresAt !== null && Date.parse(token.expiresAt) <= Date.parse(now);
}
