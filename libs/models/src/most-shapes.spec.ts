import { CONV_SPEC_DEFAULTS, specKey } from '@alphaflops/conv';
import { fitModel, type FitSample } from './index.js';
import { samplesToFit } from './most-shapes.js';

const MOST = 50;

/** This number of different convolutions, each timed twice. */
function samplesOf(shapes: number): FitSample[] {
  return Array.from({ length: 2 * shapes }, (_, at) => {
    const spec = {
      ...CONV_SPEC_DEFAULTS,
      ...{ height: 16 + (at >> 9), width: 16 + ((at >> 1) % 256), cin: 8, cout: 8, kernel_h: 1, kernel_w: 1 },
    };
    return { spec, timeMs: 1e-3 + 1e-6 * spec.height * spec.width * (1 + (at % 2) / 100) };
  });
}

describe('the shapes of a fit', () => {
  it('are all shapes up to the limit', () => {
    const samples = samplesOf(50);
    const drawn = samplesToFit(samples, 1, MOST);
    expect(drawn).toMatchObject({ samples, excluded: {}, notes: [] });
    expect(drawn.shaped).toHaveLength(100);
  });

  it('beyond it are drawn by the seed, with all of their samples, in any order of the samples', () => {
    const samples = samplesOf(60);
    const drawn = samplesToFit(samples, 1, MOST);
    expect(drawn.shaped).toHaveLength(2 * MOST);
    expect(new Set(drawn.samples.map(({ spec }) => specKey(spec))).size).toBe(MOST);
    expect(drawn.samples).toHaveLength(2 * MOST);
    expect(samplesToFit(samples.toReversed(), 1, MOST).shaped).toEqual(drawn.shaped);
    expect(samplesToFit(samples, 2, MOST).shaped).not.toEqual(drawn.shaped);
  });

  it('that were not drawn are counted in the model and its card, also when it is fitted again', () => {
    const samples = samplesOf(60);
    const origin = {
      digest: 'd',
      codeVersion: '1',
      createdAt: '2026-01-01T00:00:00Z',
      excluded: { noisy: 3 },
    };
    const model = fitModel(samples, { form: 'flops', mostShapes: MOST, origin });
    expect(model.data).toMatchObject({
      ...{ shapes: MOST, samples: 2 * MOST },
      excluded: { noisy: 3, 'of shapes not drawn': 20 },
    });
    expect(model.notes[0]).toBe('fitted to 50 of 60 shapes, drawn at random by the seed: a fit uses no more');
    const again = fitModel(samples, {
      form: 'flops',
      mostShapes: MOST,
      origin: { ...origin, excluded: model.data.excluded },
    });
    expect(JSON.stringify(again)).toBe(JSON.stringify(model));
  });
});
