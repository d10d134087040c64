import {
  IdSchema,
  JOBS,
  type LeaseFailure,
  LeaseFailureSchema,
  type LeaseRef,
  LeaseRefSchema,
  type LeaseRenewalRequest,
  LeaseRenewalRequestSchema,
  LeaseRenewalSchema,
  type LeaseRequest,
  LeaseRequestSchema,
  type LeaseReturn,
  LeaseReturnSchema,
  LeaseSchema,
  RESULT_HEADERS,
} from '@alphaflops/contracts';
import { AllowAccess, Answer, ApiProblem, type ApiRequest, ApiTags, describedBy } from '@alphaflops/http';
import { Body, Controller, Param, Post, Req, Res } from '@nestjs/common';
import { SkipThrottle } from '@nestjs/throttler';
import type { Response } from 'express';
import type { z } from 'zod';
import { LeasesService } from './leases.service.js';

/** The pause before a worker that was refused for a short time tries again. */
const RETRY_AFTER_S = '1';

/** Work for workers. There is no limit by address, because many workers may share one address. Each worker has its own limits. */
@ApiTags('workers')
@SkipThrottle()
@Controller('v1/workers/:id/leases')
export class LeasesController {
  constructor(private readonly leases: LeasesService) {}

  @Post()
  @AllowAccess('worker')
  @Answer(200, LeaseSchema, 'Take a job: waits up to 25 s, and answers 204 without a job')
  async take(
    @Param('id', { schema: IdSchema }) id: string,
    @Body({ schema: LeaseRequestSchema }) body: LeaseRequest,
    @Res() response: Response,
  ): Promise<void> {
    const gone = new AbortController();
    response.once('close', () => {
      gone.abort();
    });
    const lease = await this.leases.take(id, body, gone.signal);
    if (lease === null) {
      response.status(204).end();
      return;
    }
    const giveBackUnlessSent = (): void => {
      // Otherwise the job returns when its lock lapses.
      if (!response.writableFinished) this.leases.giveBack(id, refOf(lease)).catch(() => undefined);
    };
    if (response.closed) {
      giveBackUnlessSent();
      return;
    }
    response.once('close', giveBackUnlessSent);
    response.json(lease);
  }

  @Post('renew')
  @AllowAccess('worker')
  @Answer(200, LeaseRenewalSchema, 'Renew leases; the answer names those that are lost')
  renew(
    @Param('id', { schema: IdSchema }) id: string,
    @Body({ schema: LeaseRenewalRequestSchema }) { leases }: LeaseRenewalRequest,
  ) {
    return this.leases.renew(id, leases);
  }

  @Post('result')
  @AllowAccess('worker')
  @Answer(
    204,
    null,
    'Send the result of a job, as application/octet-stream: 204 if it is stored, 409 if it is no longer needed; any other answer: try again',
  )
  @describedBy(({ ApiHeader }) =>
    ApiHeader({ name: RESULT_HEADERS.lease, required: true, description: 'JSON: a LeaseRef' }),
  )
  @describedBy(({ ApiHeader }) =>
    ApiHeader({ name: RESULT_HEADERS.seal, required: true, description: 'JSON: the seal of the body' }),
  )
  async result(
    @Param('id', { schema: IdSchema }) id: string,
    @Req() request: ApiRequest,
    @Res({ passthrough: true }) response: Response,
  ): Promise<void> {
    const lease = headerOf(request, RESULT_HEADERS.lease, LeaseRefSchema);
    const seal = headerOf(request, RESULT_HEADERS.seal, JOBS[lease.job].result);
    try {
      await this.leases.result(id, lease, seal, request);
    } catch (error) {
      if (!request.readableEnded) {
        // Otherwise unread bytes of the body would be parsed as the next request.
        response.setHeader('Connection', 'close');
        response.setHeader('Retry-After', RETRY_AFTER_S);
      }
      throw error;
    }
  }

  @Post('return')
  @AllowAccess('worker')
  @Answer(204, null, 'Return a job for another worker; no attempt is used up')
  async giveBack(
    @Param('id', { schema: IdSchema }) id: string,
    @Body({ schema: LeaseReturnSchema }) { lease }: LeaseReturn,
  ): Promise<void> {
    await this.leases.giveBack(id, lease);
  }

  @Post('fail')
  @AllowAccess('worker')
  @Answer(204, null, 'A job has failed; it is tried again, three times in all')
  async fail(
    @Param('id', { schema: IdSchema }) id: string,
    @Body({ schema: LeaseFailureSchema }) body: LeaseFailure,
  ): Promise<void> {
    await this.leases.fail(id, body);
  }
}

function refOf({ job, targetId, id, token, attempt }: LeaseRef): LeaseRef {
  return { job, targetId, id, token, attempt };
}

/** @throws ApiProblem 400 when the header is missing or invalid */
function headerOf<T>(request: ApiRequest, name: string, schema: z.ZodType<T>): T {
  let content: unknown;
  try {
    content = JSON.parse(request.header(name) ?? '');
  } catch {
    throw new ApiProblem(400, 'invalid-request', `The header ${name} is missing, or is not JSON.`);
  }
  const parsed = schema.safeParse(content);
  if (parsed.success) return parsed.data;
  const errors = parsed.error.issues.map(({ path, message }) => ({
    path: [name, ...path.map(String)].join('.'),
    message,
  }));
  throw new ApiProblem(
    400,
    'invalid-request',
    `${errors[0]?.path ?? ''}: ${errors[0]?.message ?? ''}`,
    errors,
  );
}
