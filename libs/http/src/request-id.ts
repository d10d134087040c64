import { randomUUID } from 'node:crypto';
import type { NextFunction, Response } from 'express';
import type { ApiRequest } from './request.js';

/** Gives every request an id: the client's own X-Request-Id if it is harmless, otherwise a new one. */
export function requestId(request: ApiRequest, response: Response, next: NextFunction): void {
  const given = request.header('x-request-id');
  request.requestId = given !== undefined && /^[A-Za-z0-9._-]{1,64}$/.test(given) ? given : randomUUID();
  response.setHeader('X-Request-Id', request.requestId);
  next();
}
