import {
  type EnrolmentRequest,
  EnrolmentRequestSchema,
  EnrolmentSchema,
  type HeartbeatRequest,
  HeartbeatRequestSchema,
  HeartbeatSchema,
  IdSchema,
  type PageQuery,
  PageQuerySchema,
  pageOf,
  ReasonSchema,
  type SessionRequest,
  SessionRequestSchema,
  SessionSchema,
  WorkerSchema,
} from '@alphaflops/contracts';
import { AllowAccess, Answer, AnswersSecret, type ApiRequest, ApiTags, sha256 } from '@alphaflops/http';
import { Body, Controller, Get, Param, Post, Query, Req } from '@nestjs/common';
import { WorkersService } from './workers.service.js';

@ApiTags('workers')
@Controller('v1/workers')
export class WorkersController {
  constructor(private readonly workers: WorkersService) {}

  @Post()
  @AllowAccess('join')
  @AnswersSecret()
  @Answer(201, EnrolmentSchema, 'Enrol a worker (with a join token)')
  enrol(@Body({ schema: EnrolmentRequestSchema }) body: EnrolmentRequest, @Req() request: ApiRequest) {
    return this.workers.enrol(bearerHash(request), body);
  }

  @Post('offline')
  @AllowAccess('operator')
  @Answer(200, WorkerSchema, 'Register a node without a network, or update its devices')
  putOffline(@Body({ schema: EnrolmentRequestSchema }) body: EnrolmentRequest) {
    return this.workers.putOffline(body);
  }

  @Post(':id/session')
  @AllowAccess('worker')
  @Answer(200, SessionSchema, 'A worker has started (with its own token)')
  openSession(
    @Param('id', { schema: IdSchema }) id: string,
    @Body({ schema: SessionRequestSchema }) body: SessionRequest,
  ) {
    return this.workers.openSession(id, body);
  }

  @Post(':id/heartbeat')
  @AllowAccess('worker')
  @Answer(
    200,
    HeartbeatSchema,
    'A worker is alive (with its own token); the answer contains its desired state',
  )
  heartbeat(
    @Param('id', { schema: IdSchema }) id: string,
    @Body({ schema: HeartbeatRequestSchema }) body: HeartbeatRequest,
  ) {
    return this.workers.heartbeat(id, body);
  }

  @Get()
  @AllowAccess('read-only')
  @Answer(200, pageOf(WorkerSchema), 'Workers')
  list(@Query({ schema: PageQuerySchema }) query: PageQuery) {
    return this.workers.list(query);
  }

  @Get(':id')
  @AllowAccess('read-only')
  @Answer(200, WorkerSchema, 'One worker')
  get(@Param('id', { schema: IdSchema }) id: string) {
    return this.workers.get(id);
  }

  @Post(':id/pause')
  @AllowAccess('operator')
  @Answer(200, WorkerSchema, 'Take no new batch until resumed')
  pause(
    @Param('id', { schema: IdSchema }) id: string,
    @Body({ schema: ReasonSchema }) body: { reason: string },
  ) {
    return this.workers.setDesiredState(id, 'paused', body.reason);
  }

  @Post(':id/drain')
  @AllowAccess('operator')
  @Answer(200, WorkerSchema, 'Finish the current batch and end')
  drain(
    @Param('id', { schema: IdSchema }) id: string,
    @Body({ schema: ReasonSchema }) body: { reason: string },
  ) {
    return this.workers.setDesiredState(id, 'draining', body.reason);
  }

  @Post(':id/resume')
  @AllowAccess('operator')
  @Answer(200, WorkerSchema, 'Take batches again')
  resume(
    @Param('id', { schema: IdSchema }) id: string,
    @Body({ schema: ReasonSchema }) body: { reason: string },
  ) {
    return this.workers.setDesiredState(id, 'active', body.reason);
  }

  @Post(':id/revoke')
  @AllowAccess('operator')
  @Answer(200, WorkerSchema, 'Revoke the credentials permanently')
  revoke(
    @Param('id', { schema: IdSchema }) id: string,
    @Body({ schema: ReasonSchema }) body: { reason: string },
  ) {
    return this.workers.setDesiredState(id, 'revoked', body.reason);
  }
}

/** Digest of the token that the guard accepted. */
function bearerHash(request: ApiRequest): string {
  return sha256((request.header('authorization') ?? '').slice('Bearer '.length));
}
