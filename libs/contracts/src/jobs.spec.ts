import { FitResultSchema } from './index.js';

describe('the result of a fit', () => {
  it('has the reason why the model is a candidate, and no reason for a published model', () => {
    const candidate = { modelId: 'class-a-v2', candidateReason: 'it is worse' };
    expect(FitResultSchema.parse(candidate)).toEqual(candidate);
    expect(FitResultSchema.parse({ modelId: 'class-a-v1' })).toStrictEqual({ modelId: 'class-a-v1' });
  });

  it('is read under the former name `keptBack`, which results in a queue have', () => {
    expect(FitResultSchema.parse({ modelId: 'class-a-v2', keptBack: 'it is worse' })).toStrictEqual({
      modelId: 'class-a-v2',
      candidateReason: 'it is worse',
    });
  });
});
