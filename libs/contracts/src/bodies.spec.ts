import {
  ApiTokenRequestSchema,
  CampaignRequestSchema,
  DatasetRequestSchema,
  DeviceDescriptionSchema,
  EnrolmentRequestSchema,
  GivenTimeSchema,
  JoinTokenRequestSchema,
  PredictionRequestSchema,
} from './index.js';

const LAYER = { height: 8, width: 8, cin: 4, cout: 4, kernel_h: 1, kernel_w: 1 };
const MODEL = { kind: 'device-class', deviceClassId: 'c' };
const CAMPAIGN = {
  name: 'night',
  design: { name: 'networklike' },
  target: MODEL,
  budget: { specs: 1 },
};

describe('unknown fields are refused at every depth', () => {
  it.each(['strides', 'Stride', 'group', 'dilation', 'batch_size'])('%s of a layer', (field) => {
    const { error } = PredictionRequestSchema.safeParse({ model: MODEL, layers: [{ ...LAYER, [field]: 2 }] });
    expect(error?.issues).toMatchObject([{ code: 'unrecognized_keys', path: ['layers', 0], keys: [field] }]);
  });

  it('of the model of a prediction', () => {
    const request = { model: { ...MODEL, form: 'flops' }, layers: [LAYER] };
    expect(PredictionRequestSchema.safeParse(request).error?.issues).toMatchObject([
      { code: 'unrecognized_keys', path: ['model'], keys: ['form'] },
    ]);
  });

  it('of the design and the constraints of a campaign', () => {
    const request = {
      ...CAMPAIGN,
      design: { name: 'csv', csv: 'x', seed: 1 },
      constraints: { maxMac: 1 },
    };
    expect(CampaignRequestSchema.safeParse(request).error?.issues.map(({ path }) => path)).toEqual([
      ['design'],
      ['constraints'],
    ]);
  });
});

describe('text that a terminal would obey is refused', () => {
  const HOSTILE = ['\u001b[2J\u001b]0;t\u0007', 'two\nlines', '\u009b31m', '\u202eabc', '\u007f'];

  it.each(HOSTILE)('in names and labels: %j', (text) => {
    const refusals = [
      CampaignRequestSchema.safeParse({ ...CAMPAIGN, name: text }),
      JoinTokenRequestSchema.safeParse({ name: text }),
      JoinTokenRequestSchema.safeParse({ labels: { rack: text } }),
      ApiTokenRequestSchema.safeParse({ name: text, role: 'operator' }),
      EnrolmentRequestSchema.shape.name.safeParse(text),
      EnrolmentRequestSchema.shape.version.safeParse(text),
      DeviceDescriptionSchema.shape.uuid.safeParse(text),
      DeviceDescriptionSchema.shape.sku.safeParse(text),
      DatasetRequestSchema.shape.title.safeParse(text),
      DatasetRequestSchema.shape.creators.safeParse([text]),
    ];
    for (const { error } of refusals) {
      expect(error?.issues[0]?.message).toBe('must be one line without control characters');
    }
  });

  it('and ordinary text of any script is accepted', () => {
    const name = 'Übung – 測試 🚀';
    expect(
      CampaignRequestSchema.safeParse({ ...CAMPAIGN, name, target: { ...MODEL } }).error,
    ).toBeUndefined();
  });
});

describe('a time that is given', () => {
  it.each([
    ['2026-11-23T02:00:00+02:00', '2026-11-23T00:00:00.000Z'],
    ['2026-11-22T19:30:00.5-04:30', '2026-11-23T00:00:00.500Z'],
    ['2026-11-23T00:00:00Z', '2026-11-23T00:00:00Z'],
  ])('may have an offset: %s', (given, utc) => {
    expect(GivenTimeSchema.parse(given)).toBe(utc);
  });

  it.each(['2026-11-23', '2026-11-23T02:00:00', '2026-13-23T02:00:00Z', 'yesterday'])(
    'is not %s',
    (given) => {
      expect(GivenTimeSchema.safeParse(given).error?.issues[0]?.message).toContain(
        'such as 2026-11-23T02:00:00+02:00',
      );
    },
  );
});
