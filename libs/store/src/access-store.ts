import { ACCESS_ROLES, type AccessRole, type Labels, type Result } from '@alphaflops/contracts';

/** A token of the API is of the kind of its role. */
export const TOKEN_KINDS = [...ACCESS_ROLES, 'join', 'worker', 'sign-in'] as const;
export type TokenKind = (typeof TOKEN_KINDS)[number];

/** A secret's record; the secret itself is never stored. */
export interface TokenRecord {
  id: string;
  kind: TokenKind;
  /** sha-256 of the secret, hex. */
  hash: string;
  name: string;
  labels: Labels;
  /** Worker tokens: whose. */
  workerId: string | null;
  createdAt: string;
  /** Null: never. */
  expiresAt: string | null;
  /** Null: unlimited. */
  maxUses: number | null;
  uses: number;
  revokedAt: string | null;
  /** Sign-in codes: of the session that it opens. */
  role?: AccessRole;
}

export type ConsumeResult = Result<{ token: TokenRecord }, 'unknown' | 'expired' | 'revoked' | 'used-up'>;

/** A response kept so that a repeated POST with the same Idempotency-Key gets it again. */
export interface StoredResponse {
  /** sha-256 of method, path and body: another request under the same key is a mistake. */
  requestDigest: string;
  status: number;
  /** JSON text; null while the first request is still being handled. */
  body: string | null;
}

/** Moments before which a key of an earlier request no longer counts. */
export interface ClaimLimits {
  /** Keys claimed or renewed before it are forgotten. */
  expireBefore: string;
  /** A request that has no response yet and was not renewed since died with its coordinator: its claim is taken over. */
  abandonedBefore: string;
}

/** Tokens and idempotency keys. */
export abstract class AccessStore {
  abstract putToken(token: TokenRecord): Promise<void>;

  /** Stores a token unless there is one of its id: of several that come at the same time, one gets true. */
  abstract addToken(token: TokenRecord): Promise<boolean>;

  abstract tokenByHash(hash: string): Promise<TokenRecord | null>;

  abstract tokens(kind: TokenKind): Promise<TokenRecord[]>;

  /** Counts one use if the token is of this kind, alive at `now`, and has uses left; atomic. */
  abstract consumeToken(kind: TokenKind, hash: string, now: string): Promise<ConsumeResult>;

  /** Marks tokens revoked at `now`: one by id, or all of a worker. Returns how many were alive. */
  abstract revokeTokens(which: { id: string } | { workerId: string }, now: string): Promise<number>;

  /**
   * Claims a key for a request. Returns null when the claim is new, or taken over from the same request, abandoned;
   * else what is stored under it.
   */
  abstract claimIdempotencyKey(
    key: string,
    requestDigest: string,
    now: string,
    limits: ClaimLimits,
  ): Promise<StoredResponse | null>;

  /** Says that the request is still being handled at `now`. */
  abstract renewIdempotencyKey(key: string, now: string): Promise<void>;

  abstract storeResponse(key: string, status: number, body: string): Promise<void>;

  /** Gives the claim up after a failure, so that the request can be tried again. */
  abstract releaseIdempotencyKey(key: string): Promise<void>;
}
