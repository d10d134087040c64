import { STATUS_CODES } from 'node:http';
import type { Problem } from '@alphaflops/contracts';
import {
  type ArgumentsHost,
  Catch,
  type ExceptionFilter,
  HttpException,
  Logger,
  NotFoundException,
} from '@nestjs/common';
import type { Response } from 'express';
import { allowedMethods } from './allowed-methods.js';
import { ApiProblem, statusOf } from './problem.js';
import type { ApiRequest } from './request.js';

/** Converts every error into problem details (RFC 9457). Details that are not for clients stay in the log. */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  private readonly logger = new Logger('http');

  catch(error: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    const request = http.getRequest<ApiRequest>();
    const response = http.getResponse<Response>();
    const { status, code, detail, errors } = explain(withMethod(error, request, response));
    if (status >= 500 && status !== 503) {
      const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
      this.logger.error(`${request.method} ${request.path} [${request.requestId}]: ${text}`);
    }
    if (response.headersSent) {
      response.destroy();
      return;
    }
    const problem: Problem = {
      type: `urn:alphaflops:problem:${code}`,
      title: STATUS_CODES[status] ?? 'Error',
      status,
      code,
      detail,
      requestId: request.requestId,
      ...(errors === undefined ? {} : { errors }),
    };
    response.status(status).type('application/problem+json').send(JSON.stringify(problem));
  }
}

/** Nest has no route for the method. If the path has other methods, the answer lists them. */
function withMethod(error: unknown, request: ApiRequest, response: Response): unknown {
  if (!(error instanceof NotFoundException) || !/^Cannot [A-Z]+ /.test(error.message)) return error;
  const methods = allowedMethods(request);
  if (methods.length === 0 || methods.includes(request.method)) return error;
  response.setHeader('Allow', methods.join(', '));
  return new ApiProblem(405, 'method-not-allowed', `${request.path} allows only ${methods.join(', ')}.`);
}

interface Explanation {
  status: number;
  code: string;
  detail: string;
  errors?: Problem['errors'];
}

/** The HTTP status that an error ends a request with. */
export function statusOfError(error: unknown): number {
  return explain(error).status;
}

function explain(error: unknown): Explanation {
  if (error instanceof ApiProblem) {
    return { status: error.status, code: error.code, detail: error.message, errors: error.errors };
  }
  if (error instanceof HttpException) {
    const status = error.getStatus();
    // Nest has wrapped the JSON parser's error before, so only its text is available.
    if (status === 400 && error.message.includes('JSON')) {
      return { status, code: 'invalid-request', detail: `The body is not valid JSON: ${error.message}.` };
    }
    return { status, code: codeOf(status), detail: error.message };
  }
  const known = statusOf(error) ?? ofBodyParser(error);
  if (known !== null) return known;
  return {
    status: 500,
    code: 'internal-error',
    detail: 'The coordinator failed to handle the request. Its log has the error under this request id.',
  };
}

function codeOf(status: number): string {
  return (STATUS_CODES[status] ?? 'error').toLowerCase().replaceAll(' ', '-');
}

/** The body parser's errors have a status, and are safe to show if `expose` is true. */
function ofBodyParser(error: unknown): Explanation | null {
  if (!(error instanceof Error)) return null;
  const { status, expose } = error as Error & { status?: number; expose?: boolean };
  if (status === undefined || expose !== true) return null;
  return { status, code: codeOf(status), detail: `${error.message}.` };
}
