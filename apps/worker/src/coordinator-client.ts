import {
  type Enrolment,
  type EnrolmentRequest,
  EnrolmentSchema,
  type Heartbeat,
  type HeartbeatRequest,
  HeartbeatSchema,
  type JobResult,
  type Lease,
  type LeaseRef,
  LeaseRenewalSchema,
  type LeaseRequest,
  LeaseSchema,
  ProblemSchema,
  RESULT_HEADERS,
  type Session,
  type SessionRequest,
  SessionSchema,
  type WorkerJobName,
} from '@alphaflops/contracts';
import type { z } from 'zod';
import { WorkerError } from './error.js';
import { withTimeLimit } from './time-limit.js';
import { notAnswering, unreachable } from './trust.js';

/** A later answer counts as missing. */
const ANSWER_WITHIN_MS = 15_000;
/** The coordinator waits 25 s for work. */
const WORK_WITHIN_MS = 40_000;
/** Leases are renewed every few seconds, and lapse by themselves, so a late answer has no use. */
const LEASE_WITHIN_MS = 5_000;
/** The store of the coordinator may be slow. */
const STORED_WITHIN_MS = 120_000;

/** The requests of a worker to its coordinator. Answers are checked before they are used. */
export class CoordinatorClient {
  private readonly base: URL;

  /**
   * @param fetchBy a `fetch` that checks the coordinator's certificate for HTTPS
   * @param token join token for the enrolment, the worker's own token for everything else
   * @throws WorkerError `usage` when the URL is not an HTTP URL
   */
  constructor(
    url: string,
    private readonly token: string,
    private readonly fetchBy: typeof fetch = fetch,
  ) {
    this.base = coordinatorUrl(url);
  }

  enrol(request: EnrolmentRequest): Promise<Enrolment> {
    return this.post('v1/workers', request, EnrolmentSchema, { isFirst: true });
  }

  openSession(workerId: string, request: SessionRequest, signal?: AbortSignal): Promise<Session> {
    const options = { isFirst: true, ...(signal && { signal }) };
    return this.post(`v1/workers/${workerId}/session`, request, SessionSchema, options);
  }

  heartbeat(workerId: string, request: HeartbeatRequest, signal: AbortSignal): Promise<Heartbeat> {
    return this.post(`v1/workers/${workerId}/heartbeat`, request, HeartbeatSchema, { signal });
  }

  /** A job for one of the targets; null when no job waits. */
  async take(workerId: string, request: LeaseRequest, signal: AbortSignal): Promise<Lease | null> {
    const path = `v1/workers/${workerId}/leases`;
    const options = { body: JSON.stringify(request), withinMs: WORK_WITHIN_MS, signal };
    const { status, text } = await this.send(path, options);
    return status === 204 ? null : this.parsed(text, LeaseSchema);
  }

  /** Tokens of the leases that are lost. */
  async renew(workerId: string, leases: readonly LeaseRef[]): Promise<readonly string[]> {
    const path = `v1/workers/${workerId}/leases/renew`;
    const options = { body: JSON.stringify({ leases }), withinMs: LEASE_WITHIN_MS };
    return this.parsed((await this.send(path, options)).text, LeaseRenewalSchema).lost;
  }

  /** Resolves when the result is stored. @throws WorkerError `lease-ended` if it is no longer needed */
  async bring<N extends WorkerJobName>(
    workerId: string,
    lease: LeaseRef & { job: N },
    { result, body }: { result: JobResult<N>; body: Uint8Array },
  ): Promise<void> {
    await this.send(`v1/workers/${workerId}/leases/result`, {
      body,
      withinMs: STORED_WITHIN_MS,
      headers: {
        'content-type': 'application/octet-stream',
        [RESULT_HEADERS.lease]: JSON.stringify(lease),
        [RESULT_HEADERS.seal]: JSON.stringify(result),
      },
    });
  }

  /** Returns a job. @throws WorkerError `lease-ended` */
  async giveBack(workerId: string, lease: LeaseRef): Promise<void> {
    await this.send(`v1/workers/${workerId}/leases/return`, {
      body: JSON.stringify({ lease }),
      withinMs: LEASE_WITHIN_MS,
    });
  }

  /** A job has failed. @throws WorkerError `lease-ended` */
  async fail(workerId: string, lease: LeaseRef, reason: string): Promise<void> {
    await this.send(`v1/workers/${workerId}/leases/fail`, {
      body: JSON.stringify({ lease, reason }),
      withinMs: LEASE_WITHIN_MS,
    });
  }

  private async post<T>(
    path: string,
    body: unknown,
    answer: z.ZodType<T>,
    options: { signal?: AbortSignal; isFirst?: boolean },
  ): Promise<T> {
    const { text } = await this.send(path, { body: JSON.stringify(body), ...options });
    return this.parsed(text, answer);
  }

  /**
   * @throws WorkerError `unreachable` (worth another try), `refused` (401, 403), `lease-ended` (of a lease: 409, 410),
   * `rejected` (another 4xx), `bad-answer` (not a coordinator, or another version of it)
   */
  private async send(
    path: string,
    options: {
      body: string | Uint8Array;
      headers?: Readonly<Record<string, string>>;
      withinMs?: number;
      signal?: AbortSignal;
      /** Whether this is the first request to the coordinator, so that the URL may be wrong. */
      isFirst?: boolean;
    },
  ): Promise<{ status: number; text: string }> {
    const {
      body,
      headers = { 'content-type': 'application/json' },
      withinMs = ANSWER_WITHIN_MS,
      signal,
      isFirst = false,
    } = options;
    let status: number;
    let text: string;
    try {
      [status, text] = await withTimeLimit(withinMs, signal, async (limited) => {
        const response = await this.fetchBy(new URL(path, this.base), {
          method: 'POST',
          headers: { authorization: `Bearer ${this.token}`, ...headers },
          body,
          redirect: 'manual',
          signal: limited,
        });
        return [response.status, await response.text()];
      });
    } catch (cause) {
      throw isFirst && !signal?.aborted
        ? await unreachable(this.base.href, cause)
        : notAnswering(this.base.href, cause);
    }
    if (status >= 200 && status < 300) return { status, text };
    const refusal = this.refusal(status, parseJson(text));
    const isOfLease = path.includes('/leases/') && (status === 409 || status === 410);
    throw isOfLease ? new WorkerError('lease-ended', refusal.message) : refusal;
  }

  /** @throws WorkerError `bad-answer` */
  private parsed<T>(text: string, answer: z.ZodType<T>): T {
    const parsed = answer.safeParse(parseJson(text));
    if (parsed.success) return parsed.data;
    const where = parsed.error.issues[0]?.path.join('.') ?? '';
    throw new WorkerError(
      'bad-answer',
      `${this.base.href} does not answer like a coordinator of this version${where === '' ? '' : ` (${where})`}. Is the URL right?`,
    );
  }

  private refusal(status: number, content: unknown): WorkerError {
    const problem = ProblemSchema.safeParse(content);
    if (!problem.success) {
      const code = status === 429 || status >= 500 ? 'unreachable' : 'bad-answer';
      return new WorkerError(
        code,
        `${this.base.href} answers ${status}, and not like a coordinator. Is the URL right?`,
      );
    }
    const { detail, errors = [] } = problem.data;
    const fields = errors.map(({ path, message }) => `${path}: ${message}`).join('; ');
    const message = `The coordinator says: ${fields || detail}`;
    if (status === 401 || status === 403) return new WorkerError('refused', message);
    return new WorkerError(status === 429 || status >= 500 ? 'unreachable' : 'rejected', message);
  }
}

/**
 * The coordinator's address in the form that is stored and compared: no query, no user, one slash at the end.
 * @throws WorkerError `usage`
 */
export function coordinatorUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || !['http:', 'https:'].includes(url.protocol) || url.username !== '') {
    throw new WorkerError(
      'usage',
      'URL: expected the URL of a coordinator such as http://host:8080, without a user or password.',
    );
  }
  return new URL(url.pathname.replace(/\/*$/, '/'), url.origin);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
