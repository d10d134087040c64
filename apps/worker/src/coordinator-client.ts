import {
  type Enrolment,
  type EnrolmentRequest,
  EnrolmentSchema,
  type Heartbeat,
  type HeartbeatRequest,
  HeartbeatSchema,
  ProblemSchema,
  type Session,
  type SessionRequest,
  SessionSchema,
} from '@alphaflops/contracts';
import type { z } from 'zod';
import { messageOf, WorkerError } from './error.js';

/** An answer that takes longer is no answer. */
const ANSWER_WITHIN_MS = 15_000;

/** The three things that a worker says to its coordinator. Answers are checked before anybody works with them. */
export class CoordinatorClient {
  private readonly base: URL;

  /**
   * @param fetchBy knows whom to believe when the URL is one of HTTPS
   * @param token join token to enrol, the worker's own for everything else
   * @throws WorkerError `usage` when the URL is none of HTTP
   */
  constructor(
    url: string,
    private readonly token: string,
    private readonly fetchBy: typeof fetch = fetch,
  ) {
    this.base = coordinatorUrl(url);
  }

  enrol(request: EnrolmentRequest): Promise<Enrolment> {
    return this.post('v1/workers', request, EnrolmentSchema);
  }

  openSession(workerId: string, request: SessionRequest): Promise<Session> {
    return this.post(`v1/workers/${workerId}/session`, request, SessionSchema);
  }

  heartbeat(workerId: string, request: HeartbeatRequest, signal: AbortSignal): Promise<Heartbeat> {
    return this.post(`v1/workers/${workerId}/heartbeat`, request, HeartbeatSchema, signal);
  }

  /**
   * @throws WorkerError `unreachable` (worth another try), `refused` (401, 403), `rejected` (another 4xx),
   * `bad-answer` (not a coordinator, or another version of it)
   */
  private async post<T>(path: string, body: unknown, answer: z.ZodType<T>, signal?: AbortSignal): Promise<T> {
    let status: number;
    let text: string;
    try {
      const response = await this.fetchBy(new URL(path, this.base), {
        method: 'POST',
        headers: { authorization: `Bearer ${this.token}`, 'content-type': 'application/json' },
        body: JSON.stringify(body),
        redirect: 'manual',
        signal: AbortSignal.any([AbortSignal.timeout(ANSWER_WITHIN_MS), ...(signal ? [signal] : [])]),
      });
      status = response.status;
      text = await response.text();
    } catch (cause) {
      // fetch itself says "fetch failed"; what failed is in its cause.
      const why = messageOf((cause as { cause?: unknown }).cause ?? cause);
      throw new WorkerError('unreachable', `The coordinator at ${this.base.href} does not answer (${why}).`, {
        cause,
      });
    }
    const content = parseJson(text);
    if (status < 200 || status >= 300) throw this.refusal(status, content);
    const parsed = answer.safeParse(content);
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
 * The coordinator's address as it is kept and compared: no query, no user, one slash at the end.
 * @throws WorkerError `usage`
 */
export function coordinatorUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || !['http:', 'https:'].includes(url.protocol) || url.username !== '') {
    throw new WorkerError(
      'usage',
      'URL: a coordinator has one like http://host:8080, with no user or password in it.',
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
