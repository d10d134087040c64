import type { NextFunction, Response } from 'express';
import { ApiProblem } from './problem.js';
import type { ApiRequest } from './request.js';

/** The types that `curl -d`, forms and scripts send by default. */
const NOT_JSON = ['urlencoded', 'multipart', 'text/*'];

/** Refuses a body that is not JSON, and names the required type (415). */
export function bodyType(request: ApiRequest, _response: Response, next: NextFunction): void {
  const { 'transfer-encoding': encoding, 'content-length': length, 'content-type': type } = request.headers;
  const hasBody = encoding !== undefined || Number(length ?? 0) > 0;
  const isRefused = hasBody && (type === undefined || request.is(NOT_JSON) !== false);
  if (!isRefused) {
    next();
    return;
  }
  const found = type === undefined ? 'without a type' : `of type ${type}`;
  next(
    new ApiProblem(
      415,
      'unsupported-media-type',
      `The body is ${found}. Send JSON, with the header "Content-Type: application/json".`,
    ),
  );
}
