import { Module } from '@nestjs/common';
import { FitInputs } from './fit-input.js';
import { FitRunner } from './fit-runner.js';
import { FitThreads } from './fit-threads.js';
import { FitsController } from './fits.controller.js';
import { FitsService } from './fits.service.js';
import { RoundPlanner } from './round-planner.js';
import { RoundsService } from './rounds.service.js';

@Module({
  controllers: [FitsController],
  providers: [FitInputs, FitRunner, FitThreads, FitsService, RoundPlanner, RoundsService],
  exports: [FitsService, RoundsService],
})
export class FitsModule {}
