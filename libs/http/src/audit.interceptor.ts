import { randomUUID } from 'node:crypto';
import { type AuditEntry, IdSchema } from '@alphaflops/contracts';
import { AuditStore } from '@alphaflops/store';
import {
  type CallHandler,
  type ExecutionContext,
  Injectable,
  Logger,
  type NestInterceptor,
} from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { Response } from 'express';
import { catchError, from, mergeMap, type Observable, throwError } from 'rxjs';
import { type Access, accessOf } from './access.js';
import { statusOfError } from './problem.filter.js';
import type { ApiRequest, Principal } from './request.js';

/** Routes with which somebody changes something. Reports of a worker about itself get no entry. */
const AUDITED: readonly (Access | undefined)[] = ['operator', 'admin', 'join', 'sign-in'];

/** Records who did what: the route, the object, and the outcome. It records nothing from body or headers. */
@Injectable()
export class AuditInterceptor implements NestInterceptor {
  private readonly logger = new Logger('audit');

  constructor(
    private readonly reflector: Reflector,
    private readonly audit: AuditStore,
  ) {}

  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const request = context.switchToHttp().getRequest<ApiRequest>();
    const access = accessOf(this.reflector, context.getHandler());
    if (request.method === 'GET' || !AUDITED.includes(access)) return next.handle();
    const action = actionOf(context.getClass().name, context.getHandler().name);
    const written = (status: number, body: unknown) =>
      from(this.write({ action, status, targetId: targetOf(request, body), ...requesterOf(request) }));
    return next.handle().pipe(
      mergeMap((body: unknown) => {
        const { statusCode } = context.switchToHttp().getResponse<Response>();
        return written(statusCode, body).pipe(mergeMap(() => [body]));
      }),
      catchError((error: unknown) =>
        written(statusOfError(error), null).pipe(mergeMap(() => throwError(() => error))),
      ),
    );
  }

  /** The action is complete. If the store fails here, the action must not look like a failure. */
  private async write(entry: Omit<AuditEntry, 'id' | 'at'>): Promise<void> {
    const complete = { id: `audit-${randomUUID()}`, at: new Date().toISOString(), ...entry };
    try {
      await this.audit.append(complete);
    } catch (error) {
      this.logger.error(`Could not store an audit entry (${String(error)}): ${JSON.stringify(complete)}`);
    }
  }
}

/** `CampaignsController.create` → `campaigns.create`, `JoinTokensController.revoke` → `join-tokens.revoke`. */
function actionOf(controller: string, method: string): string {
  const feature = controller.replace(/Controller$/, '').replaceAll(/(?<=[a-z])(?=[A-Z])/g, '-');
  return `${feature.toLowerCase()}.${method}`;
}

function requesterOf({ principal, requestId, ip }: ApiRequest) {
  return { actor: actorOf(principal), requestId, address: ip ?? null };
}

function actorOf(principal: Principal | undefined): AuditEntry['actor'] {
  if (principal?.kind === 'api') {
    return { kind: principal.role, tokenId: principal.tokenId, name: principal.name };
  }
  if (principal?.kind === 'join' || principal?.kind === 'sign-in') {
    return { kind: principal.kind, tokenId: principal.tokenId, name: principal.name };
  }
  return { kind: 'system', tokenId: null, name: '' };
}

/** Only text in the form of an id, because any other text may be a secret. */
function targetOf(request: ApiRequest, body: unknown): string | null {
  const { worker, id } = (body ?? {}) as { worker?: { id?: unknown }; id?: unknown };
  for (const candidate of [request.params['id'], worker?.id, id]) {
    const parsed = IdSchema.safeParse(candidate);
    if (parsed.success) return parsed.data;
  }
  return null;
}
