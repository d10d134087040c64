import { Module } from '@nestjs/common';
import { AuditController } from './audit.controller.js';
import { DeploymentMetrics } from './deployment-metrics.js';
import { HealthController } from './health.controller.js';
import { HttpTiming } from './http-timing.js';
import { MetricsController } from './metrics.controller.js';

/** Of every process that listens: whether it is well, and its metrics. */
@Module({
  controllers: [HealthController, MetricsController],
  providers: [HttpTiming],
  exports: [HttpTiming],
})
export class OperationsModule {}

/** Of coordinators: what is in store and queues, and who changed what. */
@Module({ controllers: [AuditController], providers: [DeploymentMetrics] })
export class DeploymentModule {}
