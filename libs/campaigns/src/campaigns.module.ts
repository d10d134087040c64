import { Module } from '@nestjs/common';
import { BatchSizer } from './batch-sizer.js';
import { BatchVerifier } from './batch-verifier.js';
import { CampaignsController } from './campaigns.controller.js';
import { CampaignsService } from './campaigns.service.js';
import { Completion } from './completion.js';
import { Dispatcher } from './dispatcher.js';
import { Drift } from './drift.js';
import { CampaignReconciler } from './campaign-reconciler.js';
import { Lifecycle } from './lifecycle.js';
import { OfflineWork } from './offline-work.js';
import { Planner } from './planner.js';
import { Recorder } from './recorder.js';
import { RecordingMetrics } from './recording-metrics.js';
import { Refusals } from './refusals.js';
import { Repeats } from './repeats.js';
import { Staffing } from './staffing.js';
import { TargetQueues } from './target-queues.js';

@Module({
  controllers: [CampaignsController],
  providers: [
    BatchSizer,
    BatchVerifier,
    CampaignsService,
    Completion,
    Dispatcher,
    Drift,
    CampaignReconciler,
    Lifecycle,
    OfflineWork,
    Planner,
    Recorder,
    RecordingMetrics,
    Refusals,
    Repeats,
    Staffing,
    TargetQueues,
  ],
})
export class CampaignsModule {}
