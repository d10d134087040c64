import {
  CampaignPreviewSchema,
  CampaignProgressSchema,
  CampaignRequestSchema,
  CampaignSchema,
  ConvSpecSchema,
  FitRequestSchema,
  FitStateSchema,
} from '@alphaflops/contracts';
import { protocolNamed } from '@alphaflops/measure';
import { exampleOf } from './example.js';
import { device, deviceClass } from './fleet.js';

/** A 3×3 convolution of ResNet-50. */
export const spec = exampleOf(ConvSpecSchema, {
  height: 56,
  width: 56,
  cin: 64,
  cout: 64,
  kernel_h: 3,
  kernel_w: 3,
});

export const protocol = protocolNamed('gpu');

const fit = exampleOf(FitRequestSchema, { form: 'auto' });

const request = exampleOf(CampaignRequestSchema, {
  name: 'H100, shapes of common networks',
  design: { name: 'networklike', seed: 1 },
  target: { kind: 'device-class', deviceClassId: deviceClass.id },
  budget: { specs: 1000 },
  constraints: { maxMacs: 2_000_000_000 },
  fit,
});

const id = 'c-20260302-5e0c91d7';
export const modelId = `${deviceClass.id}-v1`;
const plan = {
  deviceClassId: deviceClass.id,
  protocol,
  plannedSpecs: 1000,
  plannedSlots: 1000,
  excluded: { 'max-macs': 212 },
};

export const campaign = exampleOf(CampaignSchema, {
  ...plan,
  id,
  name: request.name,
  state: 'running',
  history: [
    { state: 'draft', at: '2026-03-02T09:10:00.000Z', reason: 'created' },
    { state: 'planned', at: '2026-03-02T09:10:01.000Z', reason: '1000 specs planned' },
    { state: 'running', at: '2026-03-02T09:10:02.000Z', reason: 'measurements are queued' },
  ],
  request,
  targetIds: [deviceClass.id],
  batchSize: 25,
  modelId: null,
  createdAt: '2026-03-02T09:10:00.000Z',
  updatedAt: '2026-03-02T09:10:02.000Z',
});

exampleOf(CampaignPreviewSchema, {
  ...plan,
  totalSlots: 1030,
  specs: [spec],
  leastSeconds: 42.5,
  timesFrom: 'protocol',
});

exampleOf(CampaignProgressSchema, {
  campaignId: id,
  state: 'running',
  plannedSlots: 1000,
  totalSlots: 1030,
  recordedSlots: 400,
  outcomes: {
    ok: 397,
    unsupported: 0,
    'out-of-memory': 0,
    timeout: 0,
    throttled: 0,
    noisy: 3,
    'wrong-result': 0,
    'executor-crashed': 0,
    drifted: 0,
  },
  round: null,
  noiseFloor: null,
  targetError: 0.08,
  learning: [
    {
      at: '2026-03-02T09:12:00.000Z',
      shapes: 380,
      samples: 380,
      form: 'boosted',
      medianApe: 0.131,
      standardError: 0.008,
      judgedBy: 380,
      deviceSeconds: 74,
      energyJ: 21_400,
      fitSeconds: 1.1,
    },
  ],
  forecast: {
    shapesForTarget: 1680,
    moreShapes: 1300,
    lowShapes: 1250,
    highShapes: 2600,
    secondsForTarget: 360,
    medianApeAtBudget: 0.06,
    reachable: 0.04,
    curve: [
      { shapes: 380, medianApe: 0.131 },
      { shapes: 1680, medianApe: 0.08 },
    ],
    text: 'about 1,300 more shapes, 6 minutes, for 8.0 %',
  },
  stop: null,
  slotsPerSecond: 12,
  devices: [{ deviceId: device.id, slotsPerSecond: 12 }],
  remainingSeconds: 50,
  waitingFor: null,
  modelId: null,
  reason: 'measurements are queued',
});

exampleOf(FitStateSchema, { id: `fit-${id}`, state: 'completed', modelId, reason: null });
