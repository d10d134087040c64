import type { ApiRequest } from '@alphaflops/http';
import { Injectable } from '@nestjs/common';
import type { NextFunction, Response } from 'express';
import { Histogram, Registry } from 'prom-client';

/** How long requests take. */
@Injectable()
export class HttpTiming {
  private readonly requests: Histogram;

  constructor(registry: Registry) {
    this.requests = new Histogram({
      name: 'alphaflops_http_request_seconds',
      help: 'Time to answer a request',
      labelNames: ['method', 'route', 'status'],
      buckets: [0.005, 0.02, 0.1, 0.5, 2, 10],
      registers: [registry],
    });
  }

  /** Express middleware that times every request by its route, not its path, because each id would start a new series. */
  readonly time = (request: ApiRequest, response: Response, next: NextFunction): void => {
    const end = this.requests.startTimer();
    response.once('finish', () => {
      const route = (request as { route?: { path?: string } }).route?.path ?? 'none';
      end({ method: request.method, route, status: response.statusCode });
    });
    next();
  };
}
