import {
  ModelDiffSchema,
  ModelSchema,
  PredictionRequestSchema,
  PredictionsSchema,
  VERSION,
} from '@alphaflops/contracts';
import { campaign, modelId, protocol, spec } from './campaigns.js';
import { exampleOf } from './example.js';
import { deviceClass } from './fleet.js';

export const model = exampleOf(ModelSchema, {
  schema: 'alphaflops.model/1',
  id: modelId,
  version: 1,
  deviceClassId: deviceClass.id,
  campaignId: campaign.id,
  status: 'published',
  statusReason: null,
  chosenForm: 'flops',
  forms: [
    {
      form: 'flops',
      groups: [
        {
          group: 'all',
          n: 950,
          parameters: [
            {
              name: 'c',
              value: 0.00012,
              unit: 'ms per million multiply-adds',
              standardError: 0.000002,
              state: 'estimated',
            },
          ],
          correlation: [[1]],
          stopped: 'converged',
        },
      ],
      heldOut: {
        n: 950,
        mape: 0.18,
        medianApe: 0.14,
        within10: 0.38,
        within20: 0.67,
        rmspe: 0.24,
        r2: 0.93,
        r2Log: 0.95,
        spearman: 0.97,
        coverage: 0.9,
      },
    },
  ],
  interval: { coverage: 0.9, logHalfWidth: 0.35, logHalfWidthOutside: 0.6 },
  domain: { batch: { min: 1, max: 64 }, macs: { min: 1_000_000, max: 2_000_000_000 } },
  domainLevels: { dtype: ['f32'], padding: ['same'], layout: ['NCHW'] },
  notes: ['Cut down to one form of one parameter, to be read as an example.'],
  loss: 'relative',
  device: {},
  data: {
    digest: '6f1ed002ab5595859014ebf0951522d9a0b6d7f4c2c9a1e3d84b7a5520e9c31b',
    samples: 950,
    shapes: 950,
    excluded: { noisy: 50 },
  },
  protocol,
  design: 'networklike',
  seed: 1,
  codeVersion: VERSION,
  createdAt: '2026-03-02T09:14:00.000Z',
});

exampleOf(ModelDiffSchema, {
  origin: [{ what: 'samples', before: '950', after: '1900' }],
  parameters: [
    { what: 'flops all c', before: 0.00012, after: 0.000118, unit: 'ms per million multiply-adds' },
  ],
  errors: [{ what: 'flops mape', before: 0.18, after: 0.17 }],
  interval: [{ what: 'logHalfWidth', before: 0.35, after: 0.33 }],
  domain: [{ what: 'batch max', before: 64, after: 128 }],
  notes: { added: [], removed: model.notes },
});

exampleOf(PredictionRequestSchema, {
  model: { kind: 'device-class', deviceClassId: deviceClass.id },
  layers: [spec],
  gridIntensityGramsPerKwh: 300,
});

/** Of one layer, and so of the total. */
const cost = {
  macs: 115_605_504,
  flops: 231_211_008,
  alphaFlops: 231_211_008,
  predictedMs: 0.01387,
  lowerMs: 0.00977,
  upperMs: 0.01968,
};
const noEnergy = { energyMillijoules: null, lowerEnergyMillijoules: null, upperEnergyMillijoules: null };

exampleOf(PredictionsSchema, {
  modelId,
  layers: [{ ...cost, ...noEnergy, alpha: 1, inDomain: true, kernel: null, energyInDomain: null }],
  total: { ...cost, ...noEnergy, energyWh: null, layersOutsideDomain: 0 },
  emissions: null,
});
