import { alpha, kernelPoints, macs, outputPoints, type ConvSpec } from '@alphaflops/conv';
import { fitModel } from '../fit-model.js';
import { compileModel, evaluate } from '../predict.js';
import { parseModel } from '../document.js';
import { randomShapes } from '../random-shapes.spec-helper.js';
import { boostedForm } from './boosted-form.js';

const origin = { digest: '', codeVersion: '0', createdAt: '2026-01-01T00:00:00Z' };
/** A law with jumps that no formula here has: odd widths are slower, and so are channel counts that are multiples of 32. */
const law = (spec: ConvSpec): number =>
  0.02 +
  ((0.05 * alpha(outputPoints(spec), kernelPoints(spec), { beta: 0.01, gamma: 0.7 }) * macs(spec)) / 1e6) *
    (spec.width % 2 === 1 ? 1.5 : 1) *
    (spec.cout % 32 === 0 ? 1.4 : 1);

describe('boosted', () => {
  const samples = randomShapes(700, law, 0.03, 1, [1, 3]);
  const model = fitModel(samples, { form: 'boosted', device: { smCount: 20 }, origin });
  const unseen = randomShapes(1500, law, 0.03, 2, [1, 3]);
  const extra = model.forms.find(({ form }) => form === 'boosted')?.extra;

  it('is better than the readable form in the same document', () => {
    expect(model.forms.map(({ form }) => form)).toEqual([
      'flops',
      'alpha',
      'alpha-latency',
      'alpha-axes',
      'boosted',
    ]);
    expect(evaluate(model, unseen).medianApe).toBeLessThan(
      0.95 * evaluate(model, unseen, 'alpha-axes').medianApe,
    );
  });

  it('covers about the requested share of new shapes, with varying widths', () => {
    const { coverage } = evaluate(model, unseen);
    expect(coverage).toBeGreaterThan(0.87);
    expect(coverage).toBeLessThan(0.95);
    const predict = compileModel(model);
    const widths = new Set(
      unseen.map(({ spec }) => {
        const { lowerMs, upperMs } = predict(spec);
        return ((upperMs ?? NaN) / (lowerMs ?? NaN)).toFixed(3);
      }),
    );
    expect(widths.size).toBeGreaterThan(20);
  });

  it('gives the same bytes for the same samples in any order', () => {
    const again = fitModel([...samples].reverse(), { form: 'boosted', device: { smCount: 20 }, origin });
    expect(JSON.stringify(again)).toBe(JSON.stringify(model));
  });

  it('predicts the same after JSON', () => {
    const predict = compileModel(parseModel(JSON.stringify(model)));
    const first = compileModel(model);
    for (const { spec } of unseen.slice(0, 100)) expect(predict(spec)).toEqual(first(spec));
  });

  it.each([
    [{ schema: 'boosted/0' }, /the form boosted is not readable/],
    [{ ...(extra as object), features: ['phase of the moon'] }, /no known feature/],
    [{ ...(extra as object), members: [] }, /not readable/],
  ])('refuses a document that it cannot read: %#', (broken, reason) => {
    expect(() => boostedForm.compile({ groups: [], extra: broken }, {})).toThrow(reason);
  });

  it('is refused for few shapes when requested by name, and otherwise skipped with a note', () => {
    const few = samples.slice(0, 60);
    expect(() => fitModel(few, { form: 'boosted', origin })).toThrow(
      /60 shapes are too few for boosted, which needs 150/,
    );
    const { chosenForm, notes } = fitModel(few, { origin });
    expect(chosenForm).not.toBe('boosted');
    expect(notes).toContain('60 shapes are too few for boosted, which needs 150');
  });

  it('is not fitted by absolute loss', () => {
    expect(() => fitModel(samples, { form: 'boosted', loss: 'absolute', origin })).toThrow(
      /only by relative/,
    );
  });
});
