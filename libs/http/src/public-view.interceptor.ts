import { type CallHandler, type ExecutionContext, Injectable, type NestInterceptor } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { Response } from 'express';
import { map, type Observable } from 'rxjs';
import { publicReadOf } from './public-read.js';
import type { ApiRequest } from './request.js';

/** Removes the private parts from answers to requests without a token. */
@Injectable()
export class PublicViewInterceptor implements NestInterceptor {
  constructor(private readonly reflector: Reflector) {}

  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const read = publicReadOf(this.reflector, context.getHandler());
    if (read === undefined) return next.handle();
    const http = context.switchToHttp();
    // A cache between coordinator and client must keep the two answers apart.
    http.getResponse<Response>().vary('Authorization');
    const { view } = read;
    const isPublic = http.getRequest<ApiRequest>().principal === undefined;
    return isPublic && view !== undefined ? next.handle().pipe(map(view)) : next.handle();
  }
}
