import { AccessStore } from '@alphaflops/store';
import {
  type CallHandler,
  type ExecutionContext,
  Injectable,
  type NestInterceptor,
  SetMetadata,
} from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { Response } from 'express';
import { catchError, finalize, from, mergeMap, type Observable, of, throwError } from 'rxjs';
import { ApiProblem } from './problem.js';
import type { ApiRequest } from './request.js';
import { sha256 } from './secrets.js';

/** How long an answer is kept for a repeated request. */
const KEEP_MS = 24 * 3600 * 1000;
/** The interval at which the claim of a request is renewed while the request is handled. */
const RENEW_EVERY_MS = 10_000;
/** The age after which a claim without renewal counts as dead, because its coordinator has ended. */
const ABANDONED_AFTER_MS = 60_000;

const SECRET = 'alphaflops:secret';

/** Declares that the answer of a route contains a secret, so that it is never stored. */
export const AnswersSecret = () => SetMetadata(SECRET, true);

/** Executes a POST with an Idempotency-Key once. A repeated request gets the first answer again. */
@Injectable()
export class IdempotencyInterceptor implements NestInterceptor {
  constructor(
    private readonly reflector: Reflector,
    private readonly store: AccessStore,
  ) {}

  async intercept(context: ExecutionContext, next: CallHandler): Promise<Observable<unknown>> {
    const request = context.switchToHttp().getRequest<ApiRequest>();
    const given = request.header('idempotency-key');
    if (request.method !== 'POST' || given === undefined) return next.handle();
    if (!/^[\x21-\x7e]{1,128}$/.test(given)) {
      throw new ApiProblem(400, 'bad-idempotency-key', 'Idempotency-Key must be 1–128 printable characters.');
    }
    if (this.reflector.get<boolean | undefined>(SECRET, context.getHandler()) === true) {
      throw new ApiProblem(
        400,
        'not-repeatable',
        'This answer contains a secret and is not stored. Send the request without Idempotency-Key.',
      );
    }
    if (request.principal === undefined) {
      throw new ApiProblem(401, 'no-token', 'A request with an Idempotency-Key needs a token.');
    }
    const response = context.switchToHttp().getResponse<Response>();
    const key = sha256(`${request.header('authorization') ?? ''}\n${given}`);
    const digest = sha256(JSON.stringify([request.method, request.originalUrl, request.body]));
    const now = Date.now();
    const stored = await this.store.claimIdempotencyKey(key, digest, new Date(now).toISOString(), {
      expireBefore: new Date(now - KEEP_MS).toISOString(),
      abandonedBefore: new Date(now - ABANDONED_AFTER_MS).toISOString(),
    });
    if (stored !== null) {
      if (stored.requestDigest !== digest) {
        throw new ApiProblem(
          422,
          'idempotency-key-reused',
          'This Idempotency-Key was used for another request.',
        );
      }
      if (stored.body === null) {
        throw new ApiProblem(
          409,
          'request-in-progress',
          'The first request with this Idempotency-Key has not finished yet. If its coordinator died, try again in a minute.',
        );
      }
      response.status(stored.status).setHeader('Idempotent-Replayed', 'true');
      return of(JSON.parse(stored.body));
    }
    const renewing = setInterval(() => {
      // If a renewal fails, the next one replaces it.
      this.store.renewIdempotencyKey(key, new Date().toISOString()).catch(() => undefined);
    }, RENEW_EVERY_MS);
    return next.handle().pipe(
      finalize(() => {
        clearInterval(renewing);
      }),
      mergeMap(async (body: unknown) => {
        await this.store.storeResponse(key, response.statusCode, JSON.stringify(body ?? null));
        return body;
      }),
      catchError((error: unknown) =>
        from(this.store.releaseIdempotencyKey(key)).pipe(mergeMap(() => throwError(() => error))),
      ),
    );
  }
}
