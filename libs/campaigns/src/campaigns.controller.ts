import {
  CampaignPreviewSchema,
  CampaignProgressSchema,
  CampaignQuerySchema,
  type CampaignRequest,
  CampaignRequestSchema,
  CampaignSchema,
  IdSchema,
  MeasureJobSchema,
  type OfflineResult,
  OfflineResultSchema,
  type PageQuery,
  PageQuerySchema,
  pageOf,
  ReasonSchema,
} from '@alphaflops/contracts';
import { AllowAccess, Answer, AnswerStream, ApiTags } from '@alphaflops/http';
import { Body, Controller, Get, type MessageEvent, Param, Post, Query, Sse } from '@nestjs/common';
import type { Observable } from 'rxjs';
import type { z } from 'zod';
import { CampaignsService } from './campaigns.service.js';
import { Lifecycle } from './lifecycle.js';
import { OfflineWork } from './offline-work.js';
import { ProgressFeed } from './progress-feed.js';

@ApiTags('campaigns')
@Controller('v1/campaigns')
export class CampaignsController {
  private readonly feed = new ProgressFeed((id) => this.campaigns.progress(id));

  constructor(
    private readonly campaigns: CampaignsService,
    private readonly lifecycle: Lifecycle,
    private readonly offline: OfflineWork,
  ) {}

  @Post()
  @AllowAccess('operator')
  @Answer(202, CampaignSchema, 'Plan a campaign and start it')
  create(@Body({ schema: CampaignRequestSchema }) body: CampaignRequest) {
    return this.campaigns.create(body);
  }

  @Post('preview')
  @AllowAccess('read-only')
  @Answer(200, CampaignPreviewSchema, 'The plan of a campaign, and a lower bound of its time')
  preview(@Body({ schema: CampaignRequestSchema }) body: CampaignRequest) {
    return this.campaigns.preview(body);
  }

  @Get()
  @AllowAccess('read-only')
  @Answer(200, pageOf(CampaignSchema), 'Campaigns, newest first')
  list(@Query({ schema: CampaignQuerySchema }) query: z.infer<typeof CampaignQuerySchema>) {
    const { state, deviceClassId, ...page } = query;
    return this.campaigns.list({ state, deviceClassId }, page);
  }

  @Get(':id')
  @AllowAccess('read-only')
  @Answer(200, CampaignSchema, 'One campaign')
  get(@Param('id', { schema: IdSchema }) id: string) {
    return this.campaigns.get(id);
  }

  @Get(':id/progress')
  @AllowAccess('read-only')
  @Answer(200, CampaignProgressSchema, 'Progress of a campaign')
  progress(@Param('id', { schema: IdSchema }) id: string) {
    return this.campaigns.progress(id);
  }

  @Sse(':id/events')
  @AllowAccess('read-only')
  @AnswerStream('Progress as server-sent events, until the campaign has ended', 'text/event-stream')
  async events(@Param('id', { schema: IdSchema }) id: string): Promise<Observable<MessageEvent>> {
    // An unknown id is refused before the stream starts.
    await this.campaigns.get(id);
    return this.feed.events(id);
  }

  @Get(':id/work')
  @AllowAccess('operator')
  @Answer(200, pageOf(MeasureJobSchema), 'Batches that are not measured yet, for nodes without a network')
  work(@Param('id', { schema: IdSchema }) id: string, @Query({ schema: PageQuerySchema }) query: PageQuery) {
    return this.offline.batches(id, query);
  }

  @Post(':id/results')
  @AllowAccess('operator')
  @Answer(204, null, 'Store a batch of a node without a network; 409 if it is refused')
  async putResult(
    @Param('id', { schema: IdSchema }) id: string,
    @Body({ schema: OfflineResultSchema }) body: OfflineResult,
  ): Promise<void> {
    await this.offline.record(id, body);
  }

  @Post(':id/pause')
  @AllowAccess('operator')
  @Answer(200, CampaignSchema, 'Stop giving batches to workers')
  pause(
    @Param('id', { schema: IdSchema }) id: string,
    @Body({ schema: ReasonSchema }) body: { reason: string },
  ) {
    return this.lifecycle.pause(id, body.reason);
  }

  @Post(':id/resume')
  @AllowAccess('operator')
  @Answer(200, CampaignSchema, 'Continue a paused campaign')
  resume(
    @Param('id', { schema: IdSchema }) id: string,
    @Body({ schema: ReasonSchema }) body: { reason: string },
  ) {
    return this.lifecycle.resume(id, body.reason);
  }

  @Post(':id/cancel')
  @AllowAccess('operator')
  @Answer(200, CampaignSchema, 'Stop a campaign permanently; its samples stay')
  cancel(
    @Param('id', { schema: IdSchema }) id: string,
    @Body({ schema: ReasonSchema }) body: { reason: string },
  ) {
    return this.lifecycle.cancel(id, body.reason);
  }
}
