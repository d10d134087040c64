import { createHash } from 'node:crypto';
import { EventEmitter, once } from 'node:events';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import {
  type Enrolment,
  type EnrolmentRequest,
  EnrolmentRequestSchema,
  EnrolmentSchema,
  type Heartbeat,
  HeartbeatRequestSchema,
  HeartbeatSchema,
  type Problem,
  ProblemSchema,
  type Session,
  SessionRequestSchema,
  SessionSchema,
  WORKER_PROTOCOL_VERSION,
  type WorkerDesiredState,
} from '@alphaflops/contracts';
import { QueueAccess, type RedisAddress } from '@alphaflops/queue';
import type { z } from 'zod';

export const JOIN_TOKEN = 'hush-join-token';
export const DEVICE_CLASS_ID = 'fake-class';
/** The class, and devices of the executors that tests use. */
const TARGET_IDS = [DEVICE_CLASS_ID, 'fake-device-0', 'fake-device-1', 'stub-device-0'];
const HEARTBEAT_S = 0.1;

export interface Beat {
  readonly workerId: string;
  readonly activity: 'idle' | 'measuring' | 'stopped';
}

/** What the coordinator does for its workers, over real HTTP and with real Redis users, kept in memory. Requests and answers are checked with the schemas of the API. */
export class CoordinatorStandIn {
  readonly beats: Beat[] = [];
  readonly enrolments: EnrolmentRequest[] = [];
  /** What was wrong with requests; a test that expects none looks here. */
  readonly complaints: string[] = [];
  /** Answers 503 to everything while set. */
  isAway = false;
  /** What becomes of an answer before it is sent: a coordinator may be anybody's. */
  tamper = (body: unknown): unknown => body;
  private readonly desired = new Map<string, WorkerDesiredState>();
  private readonly secrets = new Map<string, string>();
  private readonly beaten = new EventEmitter();
  private readonly access: QueueAccess;

  private constructor(
    private readonly server: Server,
    private readonly redis: RedisAddress,
    readonly url: string,
  ) {
    this.access = new QueueAccess(redis);
    server.on('request', (request, response) => {
      void this.answer(request).then(({ status, body }) => {
        response
          .writeHead(status, { 'content-type': 'application/json' })
          .end(JSON.stringify(this.tamper(body)));
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
    this.access.close();
  }

  /** Everything that must never be seen. */
  get secretTexts(): string[] {
    return [JOIN_TOKEN, ...this.secrets.values()];
  }

  want(workerId: string, state: WorkerDesiredState): void {
    this.desired.set(workerId, state);
  }

  /** As the operator does: the token is refused and the Redis user is gone. */
  async revoke(workerId: string): Promise<void> {
    this.desired.set(workerId, 'revoked');
    await this.access.revoke(workerId);
  }

  /** Redis users are gone after a restart of Redis. */
  async grantAgain(): Promise<void> {
    for (const [workerId, secret] of this.secrets) await this.grant(workerId, secret);
  }

  /** The next heartbeat, from now on, for which the condition holds. */
  async beat(condition: (beat: Beat) => boolean): Promise<Beat> {
    for (;;) {
      const [beat] = (await once(this.beaten, 'beat')) as [Beat];
      if (condition(beat)) return beat;
    }
  }

  private async answer(request: IncomingMessage): Promise<{ status: number; body: unknown }> {
    const token = request.headers.authorization?.replace(/^Bearer /, '');
    const body = JSON.parse(await text(request)) as unknown;
    const { method, url = '' } = request;
    if (this.isAway) return problem(503, 'not ready');
    if (method !== 'POST') return this.complain(`${method ?? ''} ${url}`);
    if (url === '/v1/workers') {
      if (token !== JOIN_TOKEN) return problem(401, 'The join token is used up. Ask for a new one.');
      return this.parsed(EnrolmentRequestSchema, body, (enrolment) => this.enrol(enrolment));
    }
    const [, workerId = '', action] = /^\/v1\/workers\/([^/]+)\/(session|heartbeat)$/.exec(url) ?? [];
    if (action === undefined) return this.complain(`POST ${url}`);
    if (token === undefined || token !== this.secrets.get(workerId)) return this.complain(`token for ${url}`);
    if (this.desired.get(workerId) === 'revoked') return problem(403, 'The worker was revoked: sold.');
    return action === 'session'
      ? this.parsed(SessionRequestSchema, body, (session) => this.openSession(workerId, session))
      : this.parsed(HeartbeatRequestSchema, body, ({ activity }) => this.heartbeat({ workerId, activity }));
  }

  private async enrol(request: EnrolmentRequest) {
    this.enrolments.push(request);
    const workerId = `worker-${this.enrolments.length}`;
    const secret = `hush-secret-of-${workerId}`;
    this.secrets.set(workerId, secret);
    this.desired.set(workerId, 'active');
    await this.grant(workerId, secret);
    const enrolment: Enrolment = {
      worker: this.present(workerId, request.version),
      workerToken: secret,
      queuePassword: secret,
    };
    return { status: 201, body: EnrolmentSchema.parse(enrolment) };
  }

  private async openSession(workerId: string, request: z.infer<typeof SessionRequestSchema>) {
    if (request.protocolVersion !== WORKER_PROTOCOL_VERSION) return this.complain('protocol version');
    const session: Session = {
      worker: this.present(workerId, request.version),
      queue: { url: this.redis.url, username: workerId },
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

  private async grant(workerId: string, secret: string): Promise<void> {
    const sha256 = createHash('sha256').update(secret).digest('hex');
    await this.access.grant(workerId, sha256, TARGET_IDS);
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
    answer: (request: T) => Promise<{ status: number; body: unknown }>,
  ): Promise<{ status: number; body: unknown }> {
    const request = schema.safeParse(body);
    return request.success ? await answer(request.data) : this.complain(request.error.message);
  }

  private complain(what: string): { status: number; body: unknown } {
    this.complaints.push(what);
    return problem(400, what);
  }
}

function problem(status: number, detail: string): { status: number; body: Problem } {
  const about = { type: 'urn:alphaflops:problem:test', title: 'Test', code: 'test', requestId: 'r1' };
  return { status, body: ProblemSchema.parse({ ...about, status, detail }) };
}
