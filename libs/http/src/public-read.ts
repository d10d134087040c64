import { applyDecorators, SetMetadata } from '@nestjs/common';
import type { Reflector } from '@nestjs/core';
import { describedBy } from './api-description.js';
import type { ApiRequest } from './request.js';

/** What a route shows without a token, on a deployment that publishes its models and data sets. */
export interface PublicRead<Body = unknown> {
  /** Whether the public gets an answer to this request; absent: to every request. */
  readonly accepts?: (request: ApiRequest) => boolean;
  /** Removes the private parts of the answer; absent: the whole answer is public. */
  readonly view?: (body: Body) => Body;
  /** Streams take long, so the public limit is a tenth of the limit of other routes. */
  readonly isStream?: boolean;
}

const PUBLIC_READ = 'alphaflops:public-read';

/** Makes a route public if the deployment allows public reading. docs/security.md lists the public data. */
export const AllowPublicRead = <Body>(read: PublicRead<Body> = {}) =>
  applyDecorators(
    SetMetadata(PUBLIC_READ, read),
    describedBy(({ ApiExtension }) => ApiExtension('x-public-read', true)),
  );

/** What a route shows without a token; undefined: nothing. */
export function publicReadOf(
  reflector: Reflector,
  handler: Parameters<Reflector['get']>[1],
): PublicRead | undefined {
  return reflector.get<PublicRead | undefined>(PUBLIC_READ, handler);
}

/** Whether this deployment allows public reading. */
export abstract class PublicReading {
  abstract readonly isOn: boolean;
}
