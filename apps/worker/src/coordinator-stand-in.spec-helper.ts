import { EventEmitter, once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import {
  type Enrolment,
  type EnrolmentRequest,
  EnrolmentRequestSchema,
  EnrolmentSchema,
  type Heartbeat,
  HeartbeatRequestSchema,
  HeartbeatSchema,
  LeaseFailureSchema,
  type LeaseRef,
  LeaseRefSchema,
  LeaseRenewalRequestSchema,
  LeaseRequestSchema,
  LeaseReturnSchema,
  type Problem,
  ProblemSchema,
  RESULT_HEADERS,
  SealSchema,
  type Session,
  SessionRequestSchema,
  SessionSchema,
  WORKER_PROTOCOL_VERSION,
  type WorkerDesiredState,
} from '@alphaflops/contracts';
import { LeaseDesk, QueueConnection, type RedisAddress } from '@alphaflops/queue';
import type { SealedResult } from '@alphaflops/provenance';
import type { z } from 'zod';

export const JOIN_TOKEN = 'hush-join-token';
export const DEVICE_CLASS_ID = 'fake-class';
const HEARTBEAT_S = 0.1;

export interface Beat {
  readonly workerId: string;
  readonly activity: 'idle' | 'measuring' | 'stopped';
}

/** How a job ended. */
export type End = { lease: LeaseRef } & ({ ok: true; sealed: SealedResult } | { ok: false; reason: string });

interface Answered {
  readonly status: number;
  readonly body: unknown;
}

/**
 * A stand-in for the coordinator, with real HTTP and real queues. It keeps results in memory. It checks requests and answers
 * with the schemas of the API.
 */
export class CoordinatorStandIn {
  readonly beats: Beat[] = [];
  readonly enrolments: EnrolmentRequest[] = [];
  /** Errors of requests, for tests that expect none. */
  readonly complaints: string[] = [];
  /** Results and final failures, in the order of their arrival. */
  readonly ends: End[] = [];
  /** Answers 503 to results while set, like with an unreachable store. */
  isStoreAway = false;
  /** Answers 503 to everything while set. */
  isAway = false;
  /** Changes an answer before it is sent, like a malicious coordinator. */
  tamper = (body: unknown): unknown => body;
  private readonly desired = new Map<string, WorkerDesiredState>();
  private readonly secrets = new Map<string, string>();
  private readonly beaten = new EventEmitter();
  /** Number of ends that `nextEnd` has returned. */
  private returnedEnds = 0;
  private readonly connection: QueueConnection;
  private readonly desk: LeaseDesk;

  private constructor(
    private readonly server: Server,
    redis: RedisAddress,
    readonly url: string,
  ) {
    this.connection = new QueueConnection(redis);
    this.desk = new LeaseDesk(this.connection, () => undefined, 1_000);
    this.desk.handle('measure', {
      isDone: ({ id }) => Promise.resolve(this.ends.some(({ lease }) => lease.id === id)),
      record: () => Promise.reject(new Error('results do not go through the desk')),
      recordFailure: ({ reason, ...lease }) => {
        this.end({ lease: { ...lease, job: 'measure' }, ok: false, reason });
        return Promise.resolve();
      },
    });
    this.desk.handle('label-kernels', {
      isDone: () => Promise.resolve(false),
      record: () => Promise.reject(new Error('no kernels are requested')),
      recordFailure: () => Promise.resolve(),
    });
    this.desk.start();
    server.on('request', (request, response) => {
      void this.answer(request, response).then(({ status, body }) => {
        if (status === 204) response.writeHead(status).end();
        else {
          response
            .writeHead(status, { 'content-type': 'application/json' })
            .end(JSON.stringify(this.tamper(body)));
        }
      });
    });
  }

  static async start(redis: RedisAddress): Promise<CoordinatorStandIn> {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new CoordinatorStandIn(
      server,
      redis,
      `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    );
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    this.server.close();
    await once(this.server, 'close');
    await this.desk.close();
    this.connection.close();
  }

  /** All secrets, which must never appear in output. */
  get secretTexts(): string[] {
    return [JOIN_TOKEN, ...this.secrets.values()];
  }

  setDesiredState(workerId: string, state: WorkerDesiredState): void {
    this.desired.set(workerId, state);
  }

  /** The next heartbeat from now on that meets the condition. */
  async beat(condition: (beat: Beat) => boolean): Promise<Beat> {
    for (;;) {
      const [beat] = (await once(this.beaten, 'beat')) as [Beat];
      if (condition(beat)) return beat;
    }
  }

  /** The next end of a job, or one that was not returned yet. */
  async nextEnd(): Promise<End> {
    for (;;) {
      const next = this.ends[this.returnedEnds];
      if (next !== undefined) {
        this.returnedEnds += 1;
        return next;
      }
      await once(this.beaten, 'end');
    }
  }

  private end(end: End): void {
    this.ends.push(end);
    this.beaten.emit('end');
  }

  private async answer(request: IncomingMessage, response: ServerResponse): Promise<Answered> {
    const token = request.headers.authorization?.replace(/^Bearer /, '');
    const bytes = await buffer(request);
    const isJson = request.headers['content-type'] === 'application/json';
    const body: unknown = isJson ? JSON.parse(bytes.toString()) : null;
    const { method, url = '' } = request;
    if (this.isAway) return problem(503, 'not ready');
    if (method !== 'POST') return this.complain(`${method ?? ''} ${url}`);
    if (url === '/v1/workers') {
      if (token !== JOIN_TOKEN) return problem(401, 'The join token is used up. Make a new one.');
      return this.parsed(EnrolmentRequestSchema, body, (enrolment) => this.enrol(enrolment));
    }
    const [, workerId = '', action] =
      /^\/v1\/workers\/([^/]+)\/(session|heartbeat|leases(?:\/[a-z]+)?)$/.exec(url) ?? [];
    if (action === undefined) return this.complain(`POST ${url}`);
    if (token === undefined || token !== this.secrets.get(workerId)) return this.complain(`token for ${url}`);
    if (this.desired.get(workerId) === 'revoked') return problem(403, 'The worker was revoked: sold.');
    switch (action) {
      case 'session':
        return this.parsed(SessionRequestSchema, body, (session) => this.openSession(workerId, session));
      case 'heartbeat':
        return this.parsed(HeartbeatRequestSchema, body, ({ activity }) =>
          this.heartbeat({ workerId, activity }),
        );
      case 'leases': {
        const gone = new AbortController();
        response.once('close', () => {
          gone.abort();
        });
        return this.parsed(LeaseRequestSchema, body, async (taking) => {
          const mayWork = () => Promise.resolve(this.desired.get(workerId) === 'active');
          const lease = await this.desk.take({ workerId, ...taking, mayWork, signal: gone.signal });
          return lease === null ? { status: 204, body: null } : { status: 200, body: lease };
        });
      }
      case 'leases/renew':
        return this.parsed(LeaseRenewalRequestSchema, body, async ({ leases }) => {
          const lost: string[] = [];
          for (const lease of leases) if (!(await this.queue(lease).renew(lease))) lost.push(lease.token);
          return { status: 200, body: { lost } };
        });
      case 'leases/return':
        return this.parsed(LeaseReturnSchema, body, async ({ lease }) => ({
          ...((await this.queue(lease).putBack(lease)) ? { status: 204, body: null } : problem(409, 'lost')),
        }));
      case 'leases/fail':
        return this.parsed(LeaseFailureSchema, body, async ({ lease, reason }) => {
          if (await this.queue(lease).isLastAttempt(lease)) this.end({ lease, ok: false, reason });
          return (await this.queue(lease).fail(lease, reason))
            ? { status: 204, body: null }
            : problem(409, 'lost');
        });
      case 'leases/result':
        return await this.result(request, bytes);
      default:
        return this.complain(`POST ${url}`);
    }
  }

  private queue({ job, targetId }: LeaseRef) {
    return this.desk.queue(job, targetId);
  }

  private async result({ headers }: IncomingMessage, body: Buffer): Promise<Answered> {
    if (this.isStoreAway) return problem(503, 'the store is away');
    const of = (name: string): unknown => JSON.parse(String(headers[name]));
    return await this.parsed(LeaseRefSchema, of(RESULT_HEADERS.lease), (lease) =>
      this.parsed(SealSchema, of(RESULT_HEADERS.seal), async (seal) => {
        if ((await this.queue(lease).standing(lease)) === 'others') return problem(409, 'lost');
        await this.queue(lease).complete(lease);
        this.end({ lease, ok: true, sealed: { seal, body } });
        return { status: 204, body: null };
      }),
    );
  }

  private enrol(request: EnrolmentRequest): Promise<Answered> {
    this.enrolments.push(request);
    const workerId = `worker-${this.enrolments.length}`;
    const secret = `hush-secret-of-${workerId}`;
    this.secrets.set(workerId, secret);
    this.desired.set(workerId, 'active');
    const enrolment: Enrolment = {
      worker: this.present(workerId, request.version),
      workerToken: secret,
    };
    return Promise.resolve({ status: 201, body: EnrolmentSchema.parse(enrolment) });
  }

  private async openSession(workerId: string, request: z.infer<typeof SessionRequestSchema>) {
    if (request.protocolVersion !== WORKER_PROTOCOL_VERSION) return this.complain('protocol version');
    const session: Session = {
      worker: this.present(workerId, request.version),
      devices: request.devices.map(({ uuid, executor }) => ({
        uuid,
        executor,
        deviceId: uuid,
        deviceClassId: DEVICE_CLASS_ID,
      })),
      heartbeatS: HEARTBEAT_S,
    };
    return Promise.resolve({ status: 200, body: SessionSchema.parse(session) });
  }

  private heartbeat(beat: Beat) {
    this.beats.push(beat);
    const desiredState = this.desired.get(beat.workerId) ?? 'active';
    const heartbeat: Heartbeat = { desiredState, reason: `wanted ${desiredState}` };
    this.beaten.emit('beat', beat);
    return Promise.resolve({ status: 200, body: HeartbeatSchema.parse(heartbeat) });
  }

  private present(workerId: string, version: string): Enrolment['worker'] {
    return {
      id: workerId,
      name: workerId,
      labels: {},
      version,
      deviceIds: ['fake-device-0', 'fake-device-1'],
      desiredState: this.desired.get(workerId) ?? 'active',
      stateReason: null,
      presence: 'online',
      activity: 'idle',
      enrolledAt: new Date().toISOString(),
      lastHeartbeatAt: null,
      publicKey: this.enrolments[Number(workerId.split('-')[1]) - 1]?.publicKey ?? null,
    };
  }

  private async parsed<T>(
    schema: z.ZodType<T>,
    body: unknown,
    answer: (request: T) => Promise<Answered>,
  ): Promise<Answered> {
    const request = schema.safeParse(body);
    return request.success ? await answer(request.data) : this.complain(request.error.message);
  }

  private complain(what: string): Answered {
    this.complaints.push(what);
    return problem(400, what);
  }
}

function problem(status: number, detail: string): { status: number; body: Problem } {
  const about = { type: 'urn:alphaflops:problem:test', title: 'Test', code: 'test', requestId: 'r1' };
  return { status, body: ProblemSchema.parse({ ...about, status, detail }) };
}
