import { AccessStore } from '@alphaflops/store';
import { type CanActivate, type ExecutionContext, Injectable, SetMetadata } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { ApiProblem } from './problem.js';
import type { ApiRequest, Principal } from './request.js';
import { sha256 } from './secrets.js';

/** Who may call a route. An admin may call everything but what only a worker or a join token can mean. */
export type Access = 'public' | 'admin' | 'worker' | 'join';

const ACCESS = 'alphaflops:access';

/** Says who may call a route or all routes of a controller; without it: admins. */
export const AllowAccess = (access: Access) => SetMetadata(ACCESS, access);

@Injectable()
export class AuthGuard implements CanActivate {
  constructor(
    private readonly reflector: Reflector,
    private readonly tokens: AccessStore,
  ) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const access =
      this.reflector.getAllAndOverride<Access | undefined>(ACCESS, [
        context.getHandler(),
        context.getClass(),
      ]) ?? 'admin';
    if (access === 'public') return true;
    const request = context.switchToHttp().getRequest<ApiRequest>();
    const principal = await this.identify(bearerOf(request), access);
    if (principal.kind !== access) {
      throw new ApiProblem(
        403,
        'forbidden',
        `This needs ${access === 'admin' ? 'an admin' : `a ${access}`} token.`,
      );
    }
    if (principal.kind === 'worker' && request.params['id'] !== principal.workerId) {
      throw new ApiProblem(403, 'forbidden', 'A worker may only speak for itself.');
    }
    request.principal = principal;
    return true;
  }

  private async identify(secret: string, access: Access): Promise<Principal> {
    const hash = sha256(secret);
    if (access === 'join') return { kind: 'join', hash };
    const token = await this.tokens.tokenByHash(hash);
    if (token === null) throw new ApiProblem(401, 'unknown-token', 'The bearer token is unknown.');
    if (token.revokedAt !== null) throw new ApiProblem(401, 'revoked-token', 'The bearer token was revoked.');
    if (token.expiresAt !== null && token.expiresAt <= new Date().toISOString()) {
      throw new ApiProblem(401, 'expired-token', 'The bearer token has expired.');
    }
    if (token.kind === 'worker' && token.workerId !== null) {
      return { kind: 'worker', tokenId: token.id, workerId: token.workerId };
    }
    if (token.kind === 'admin') return { kind: 'admin', tokenId: token.id };
    throw new ApiProblem(403, 'forbidden', 'A join token can only be used to enrol a worker.');
  }
}

function bearerOf(request: ApiRequest): string {
  const match = /^Bearer ([\x21-\x7e]{1,512})$/i.exec(request.header('authorization') ?? '');
  if (match?.[1] === undefined) {
    throw new ApiProblem(401, 'no-token', 'Send the header "Authorization: Bearer <token>".');
  }
  return match[1];
}
