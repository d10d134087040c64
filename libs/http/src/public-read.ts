import { applyDecorators, SetMetadata } from '@nestjs/common';
import type { Reflector } from '@nestjs/core';
import { describedBy } from './api-description.js';
import type { ApiRequest } from './request.js';

/** What a route shows without a token, on a deployment that publishes its models and data sets. */
export interface PublicRead<Body = unknown> {
  /** Whether the public gets an answer to this request; absent: to every request. */
  readonly accepts?: (request: ApiRequest) => boolean;
  /** The answer without what is nobody else's business; absent: all of it is for the public. */
  readonly view?: (body: Body) => Body;
  /** Streams take long: the public gets a tenth of the requests of other routes. */
  readonly isStream?: boolean;
}

const PUBLIC_READ = 'alphaflops:public-read';

/** Lets everybody call a route where the deployment allows public reading; docs/security.md lists what it shows. */
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
