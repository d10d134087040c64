import { ACCESS_ROLES, type AccessRole, type Labels, type Result } from '@alphaflops/contracts';

/** The kinds of tokens. The kind of a token for the API is its role. */
export const TOKEN_KINDS = [...ACCESS_ROLES, 'join', 'worker', 'sign-in'] as const;
export type TokenKind = (typeof TOKEN_KINDS)[number];

/** The record of a token. The secret itself is never stored. */
export interface TokenRecord {
  id: string;
  kind: TokenKind;
  /** sha-256 of the secret, hex. */
  hash: string;
  name: string;
  labels: Labels;
  /** Worker tokens: the id of the worker. Null for other tokens. */
  workerId: string | null;
  createdAt: string;
  /** Null: the token never expires. */
  expiresAt: string | null;
  /** Null: unlimited. */
  maxUses: number | null;
  uses: number;
  revokedAt: string | null;
  /** Sign-in codes: the role of the session that the code opens. */
  role?: AccessRole;
}

export type ConsumeResult = Result<{ token: TokenRecord }, 'unknown' | 'expired' | 'revoked' | 'used-up'>;

/** A response kept so that a repeated POST with the same Idempotency-Key gets it again. */
export interface StoredResponse {
  /** sha-256 of method, path and body. A different request with the same key is an error of the client. */
  requestDigest: string;
  status: number;
  /** JSON text; null while the first request is still in progress. */
  body: string | null;
}

/** Time limits after which the key of an earlier request no longer counts. */
export interface ClaimLimits {
  /** The store deletes keys whose last claim or renewal is before this time. */
  expireBefore: string;
  /**
   * A request without a response whose last renewal is before this time was lost with its coordinator. A repeated
   * request takes its claim over.
   */
  abandonedBefore: string;
}

/** Tokens and idempotency keys. */
export abstract class AccessStore {
  abstract putToken(token: TokenRecord): Promise<void>;

  /**
   * Stores a token unless a token with the same id exists. Returns whether it was stored: if several callers add the
   * same id at the same time, exactly one of them gets true.
   */
  abstract addToken(token: TokenRecord): Promise<boolean>;

  abstract tokenByHash(hash: string): Promise<TokenRecord | null>;

  abstract tokens(kind: TokenKind): Promise<TokenRecord[]>;

  /** Counts one use if the token is of this kind, is valid at `now`, and has uses left. The operation is atomic. */
  abstract consumeToken(kind: TokenKind, hash: string, now: string): Promise<ConsumeResult>;

  /** Revokes one token by its id, or all tokens of a worker. Returns how many were not revoked before. */
  abstract revokeTokens(which: { id: string } | { workerId: string }, now: string): Promise<number>;

  /**
   * Claims a key for a request. Returns null when the claim is new, or when it replaces an abandoned claim of the
   * same request. Otherwise returns what is stored under the key.
   */
  abstract claimIdempotencyKey(
    key: string,
    requestDigest: string,
    now: string,
    limits: ClaimLimits,
  ): Promise<StoredResponse | null>;

  /** Records that the request is still in progress at `now`. */
  abstract renewIdempotencyKey(key: string, now: string): Promise<void>;

  abstract storeResponse(key: string, status: number, body: string): Promise<void>;

  /** Releases the claim after a failure, so that the client can repeat the request. */
  abstract releaseIdempotencyKey(key: string): Promise<void>;
}
