import { ACCESS_ROLES, type AccessRole } from '@alphaflops/contracts';
import { AccessStore, type TokenKind } from '@alphaflops/store';
import { type CanActivate, type ExecutionContext, Injectable } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { type Access, accessOf, isSpent, mayCall, SPENT } from './access.js';
import { ApiProblem } from './problem.js';
import { publicReadOf, PublicReading } from './public-read.js';
import type { ApiRequest, Principal } from './request.js';
import { isSameDigest, sha256 } from './secrets.js';

@Injectable()
export class AuthGuard implements CanActivate {
  constructor(
    private readonly reflector: Reflector,
    private readonly tokens: AccessStore,
    private readonly publicReading: PublicReading,
  ) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const access = accessOf(this.reflector, context.getHandler());
    if (access === undefined) throw new Error('a route does not declare who may call it');
    if (access === 'public') return true;
    const request = context.switchToHttp().getRequest<ApiRequest>();
    if (this.isForPublic(context, request)) return true;
    const principal = await identify(this.tokens, bearerOf(request), access);
    const may = principal.kind === 'api' ? mayCall(principal.role, access) : principal.kind === access;
    if (!may) throw new ApiProblem(403, 'forbidden', `This needs ${describe(access)} token.`);
    if (principal.kind === 'worker' && request.params['id'] !== principal.workerId) {
      throw new ApiProblem(403, 'forbidden', 'A worker may only act for itself.');
    }
    request.principal = principal;
    return true;
  }

  /** A request without a token to a public route of this deployment. */
  private isForPublic(context: ExecutionContext, request: ApiRequest): boolean {
    if (!this.publicReading.isOn || request.header('authorization') !== undefined) return false;
    const read = publicReadOf(this.reflector, context.getHandler());
    return read !== undefined && (read.accepts?.(request) ?? true);
  }
}

/** The owner of the secret. Throws ApiProblem 401 or 403 when the secret is unknown or not valid any more. */
export async function identify(tokens: AccessStore, secret: string, access: Access): Promise<Principal> {
  const hash = sha256(secret);
  const token = await tokens.tokenByHash(hash);
  // Looked up by digest. It is also compared here, because databases may define equal texts differently.
  const isKnown = token !== null && isSameDigest(token.hash, hash);
  if (!isKnown || (isSpent(access) && token.kind !== access)) {
    const what = isSpent(access) ? SPENT[access] : 'bearer token';
    throw new ApiProblem(401, 'unknown-token', `The ${what} is unknown.`);
  }
  // Its validity is checked when it is used, and the answer reports it then.
  if (isSpent(access)) return { kind: access, hash, tokenId: token.id, name: token.name };
  if (token.revokedAt !== null) throw new ApiProblem(401, 'revoked-token', 'The bearer token was revoked.');
  if (token.expiresAt !== null && Date.parse(token.expiresAt) <= Date.now()) {
    throw new ApiProblem(401, 'expired-token', 'The bearer token has expired.');
  }
  const { id: tokenId, kind, workerId, name } = token;
  if (kind === 'worker' && workerId !== null) return { kind, tokenId, workerId };
  if (isRole(kind)) return { kind: 'api', role: kind, tokenId, name };
  const only =
    kind === 'join'
      ? 'join token can only be used to enrol a worker'
      : 'sign-in link can only be used to sign in';
  throw new ApiProblem(403, 'forbidden', `A ${only}.`);
}

function isRole(kind: TokenKind): kind is AccessRole {
  return (ACCESS_ROLES as readonly string[]).includes(kind);
}

function describe(access: Access): string {
  if (access === 'admin' || access === 'operator') return `an ${access}`;
  return `a ${access}`;
}

function bearerOf(request: ApiRequest): string {
  const match = /^Bearer ([\x21-\x7e]{1,512})$/i.exec(request.header('authorization') ?? '');
  if (match?.[1] === undefined) {
    throw new ApiProblem(401, 'no-token', 'Send the header "Authorization: Bearer <token>".');
  }
  return match[1];
}
