import { Module } from '@nestjs/common';
import { ClassKernels } from './class-kernels.js';
import { FitInputs } from './fit-input.js';
import { FitMetrics } from './fit-metrics.js';
import { FitRunner } from './fit-runner.js';
import { FitThreads } from './fit-threads.js';
import { FitsController } from './fits.controller.js';
import { FitsService } from './fits.service.js';
import { RoundPlanner } from './round-planner.js';
import { RoundsService } from './rounds.service.js';

/** Requests fits, and runs them if the process has the role. */
@Module({
  providers: [
    ClassKernels,
    FitInputs,
    FitMetrics,
    FitRunner,
    FitThreads,
    FitsService,
    RoundPlanner,
    RoundsService,
  ],
  exports: [FitsService, RoundsService],
})
export class FitsModule {}

/** The same with its routes. */
@Module({ imports: [FitsModule], controllers: [FitsController] })
export class FitsApiModule {}
