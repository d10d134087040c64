import { type CampaignState } from '@alphaflops/contracts';
import { AllowAccess, type ApiRequest } from '@alphaflops/http';
import { CampaignStore, FleetStore, SampleStore } from '@alphaflops/store';
import { Controller, Get, Header, Injectable } from '@nestjs/common';
import { ApiOperation, ApiProduces, ApiTags } from '@nestjs/swagger';
import type { NextFunction, Response } from 'express';
import { collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';

const LIVE: readonly CampaignState[] = ['planned', 'running', 'paused', 'fitting'];
const PAGE = { limit: 1000 };

/** Prometheus metrics; what the store knows is looked up when they are asked for. */
@Injectable()
export class Metrics {
  private readonly registry = new Registry();
  private readonly requests = new Histogram({
    name: 'alphaflops_http_request_seconds',
    help: 'Time to answer a request',
    labelNames: ['method', 'route', 'status'],
    buckets: [0.005, 0.02, 0.1, 0.5, 2, 10],
    registers: [this.registry],
  });

  constructor(campaigns: CampaignStore, fleet: FleetStore, samples: SampleStore) {
    collectDefaultMetrics({ register: this.registry });
    this.gauge('alphaflops_campaigns', 'Campaigns that have not ended', 'state', async (set) => {
      for (const state of LIVE) set(state, (await campaigns.list({ state }, PAGE)).items.length);
    });
    this.gauge(
      'alphaflops_workers',
      'Workers by what the operator wants of them',
      'desired_state',
      async (set) => {
        const { items } = await fleet.workers(PAGE);
        for (const state of ['active', 'paused', 'draining', 'revoked']) {
          set(state, items.filter((worker) => worker.desiredState === state).length);
        }
      },
    );
    this.gauge('alphaflops_samples_recorded', 'Samples recorded lately', 'window', async (set) => {
      set('1m', await samples.countSince(new Date(Date.now() - 60_000).toISOString()));
    });
  }

  /** Express middleware that times every request under its route, not its path: ids would make a series each. */
  readonly time = (request: ApiRequest, response: Response, next: NextFunction): void => {
    const end = this.requests.startTimer();
    response.once('finish', () => {
      const route = (request as { route?: { path?: string } }).route?.path ?? 'none';
      end({ method: request.method, route, status: response.statusCode });
    });
    next();
  };

  text(): Promise<string> {
    return this.registry.metrics();
  }

  private gauge(
    name: string,
    help: string,
    label: string,
    collect: (set: (value: string, count: number) => void) => Promise<void>,
  ): void {
    const gauge = new Gauge({
      name,
      help,
      labelNames: [label],
      registers: [this.registry],
      collect: () =>
        collect((value, count) => {
          gauge.set({ [label]: value }, count);
        }),
    });
  }
}

@ApiTags('operations')
@Controller()
export class MetricsController {
  constructor(private readonly metrics: Metrics) {}

  @Get('metrics')
  @AllowAccess('read-only')
  @ApiOperation({ summary: 'Prometheus metrics' })
  @ApiProduces('text/plain')
  @Header('Content-Type', 'text/plain; version=0.0.4')
  get(): Promise<string> {
    return this.metrics.text();
  }
}
