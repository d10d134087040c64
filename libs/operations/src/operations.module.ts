import { Module } from '@nestjs/common';
import { AuditController } from './audit.controller.js';
import { DeploymentMetrics } from './deployment-metrics.js';
import { HealthController } from './health.controller.js';
import { HttpTiming } from './http-timing.js';
import { MetricsController } from './metrics.controller.js';

/** For every process that listens: its health and its metrics. */
@Module({
  controllers: [HealthController, MetricsController],
  providers: [HttpTiming],
  exports: [HttpTiming],
})
export class OperationsModule {}

/** For coordinators: metrics of the store and the queues, and the audit log. */
@Module({ controllers: [AuditController], providers: [DeploymentMetrics] })
export class DeploymentModule {}
