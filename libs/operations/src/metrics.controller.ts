import { AllowAccess, AnswerStream, ApiTags } from '@alphaflops/http';
import { Controller, Get, Header } from '@nestjs/common';
import { Registry } from 'prom-client';

@ApiTags('operations')
@Controller()
export class MetricsController {
  constructor(private readonly registry: Registry) {}

  @Get('metrics')
  @AllowAccess('read-only')
  @AnswerStream('Prometheus metrics', 'text/plain')
  @Header('Content-Type', 'text/plain; version=0.0.4')
  get(): Promise<string> {
    return this.registry.metrics();
  }
}
