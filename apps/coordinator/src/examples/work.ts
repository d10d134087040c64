import {
  LeaseFailureSchema,
  LeaseRefSchema,
  LeaseRenewalRequestSchema,
  LeaseRenewalSchema,
  LeaseRequestSchema,
  LeaseReturnSchema,
  LeaseSchema,
  MeasureJobSchema,
  OfflineResultSchema,
} from '@alphaflops/contracts';
import { campaign, protocol, spec } from './campaigns.js';
import { exampleOf } from './example.js';
import { device, deviceClass, worker } from './fleet.js';

const lease = exampleOf(LeaseRefSchema, {
  job: 'measure',
  targetId: deviceClass.id,
  id: `${campaign.id}.b3`,
  token: `${worker.id}.EXAMPLEEXAMPLEEXAMPLEA`,
  attempt: 1,
});

exampleOf(LeaseRequestSchema, { jobs: ['measure'], targetIds: [deviceClass.id, device.id] });

const batch = exampleOf(MeasureJobSchema, {
  campaignId: campaign.id,
  targetId: deviceClass.id,
  batchIndex: 3,
  protocol,
  slots: [{ specIndex: 75, replicate: 0, spec }],
});

exampleOf(OfflineResultSchema, {
  targetId: deviceClass.id,
  batchIndex: 3,
  seal: {
    workerId: worker.id,
    deviceId: device.id,
    attempt: 1,
    batchDigest: '0'.repeat(64),
    signature: 'EXAMPLE'.repeat(13).slice(0, 86),
  },
  body: 'RVhBTVBMRQ==',
});

exampleOf(LeaseSchema, {
  ...lease,
  job: 'measure',
  leaseMs: 8_000,
  payload: batch,
});

exampleOf(LeaseRenewalRequestSchema, { leases: [lease] });

exampleOf(LeaseRenewalSchema, { lost: [] });

exampleOf(LeaseReturnSchema, { lease });

exampleOf(LeaseFailureSchema, { lease, reason: 'the executor does not start: no driver' });
