import type { MeasureJob } from '@alphaflops/contracts';

/** A batch of one spec. */
export const measurePayload: MeasureJob = {
  campaignId: 'c1',
  targetId: 'my-class',
  batchIndex: 0,
  protocol: {
    name: 'cpu',
    version: 1,
    mode: 'hot',
    warmUpMinRuns: 3,
    warmUpTolerance: 0.05,
    warmUpMaxMs: 1_000,
    minBatchMs: 20,
    minBatches: 9,
    maxRelativeStandardError: 0.01,
    maxTotalMs: 2_000,
    noisyRelativeStandardError: 0.1,
    specTimeLimitMs: 60_000,
    throttleRetries: 3,
    minClockShare: 0.75,
    checkOutput: true,
  },
  slots: [
    {
      specIndex: 0,
      replicate: 0,
      spec: {
        batch: 1,
        height: 8,
        width: 8,
        cin: 4,
        cout: 4,
        kernel_h: 3,
        kernel_w: 3,
        stride: 1,
        groups: 1,
        dtype: 'f32',
        padding: 'same',
        layout: 'NCHW',
      },
    },
  ],
};
