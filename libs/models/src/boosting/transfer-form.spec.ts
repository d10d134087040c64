import { macs, type ConvSpec } from '@alphaflops/conv';
import { parseModel } from '../document.js';
import { fitModel, type FitOptions } from '../fit-model.js';
import { compileModel, evaluate } from '../predict.js';
import { randomShapes } from '../random-shapes.spec-helper.js';

const origin = { digest: 'sha256:old', codeVersion: '0', createdAt: '2026-01-01T00:00:00Z' };
/** Jumps that no formula with few parameters has. Every device has them at the same places. */
const jumps = (spec: ConvSpec): number =>
  (spec.cin > 100 ? 2 : 1) * (spec.height > 60 ? 0.5 : 1) * (spec.cout > 200 ? 0.6 : 1);
const old = (spec: ConvSpec): number => 0.02 + jumps(spec) * (macs(spec) / 1e8) ** 0.8;
/** Three times as slow, and a little more so for many channels. */
const young = (spec: ConvSpec): number => 3 * old(spec) * spec.cin ** 0.1;

const source = fitModel(randomShapes(900, old, 0.03, 1, [1, 3]), {
  device: { smCount: 20 },
  origin: { ...origin, deviceClassId: 'old-device' },
});
const few = randomShapes(40, young, 0.03, 2, [1, 3]);
const unseen = randomShapes(600, young, 0.03, 3, [1, 3]);
const fit = (options: Partial<FitOptions>) => fitModel(few, { origin, device: { smCount: 20 }, ...options });

describe('a model that starts from another device’s', () => {
  const model = fit({ source });

  it('is chosen for few samples, and is better than a fit of these alone', () => {
    expect(model.chosenForm).toBe('transfer');
    const alone = fit({});
    expect(alone.forms.map(({ form }) => form)).not.toContain('transfer');
    expect(evaluate(model, unseen).medianApe).toBeLessThan(0.6 * evaluate(alone, unseen).medianApe);
  });

  it('reports the model that it starts from', () => {
    expect(model.notes).toContain(
      'transfer: the form boosted is borrowed from a model of old-device (900 samples, digest sha256:old); the samples of this device give a level and slopes',
    );
  });

  it('reports when the other device was not useful', () => {
    const plain = fitModel(
      randomShapes(40, (spec) => macs(spec) / 1e6, 0.03, 2, [1, 3]),
      { origin, source },
    );
    expect(plain.chosenForm).not.toBe('transfer');
    expect(plain.notes.join('\n')).toMatch(
      /nothing is borrowed from a model of old-device \(.*\): .* with it \(transfer\), .* without \(\S+\)/,
    );
    expect(model.notes.join('\n')).not.toMatch(/nothing is borrowed/);
  });

  it('is complete: it predicts the same after JSON', () => {
    const read = compileModel(parseModel(JSON.stringify(model)));
    const first = compileModel(model);
    for (const { spec } of unseen.slice(0, 50)) expect(read(spec)).toEqual(first(spec));
  });

  it('can itself be a source', () => {
    const again = fitModel(few.slice(0, 20), { origin, form: 'transfer', source: model });
    expect(evaluate(again, unseen).medianApe).toBeLessThan(1.3 * evaluate(model, unseen).medianApe);
  });

  it('accepts samples of the other device too', () => {
    const fromSamples = fit({ source: randomShapes(300, old, 0.03, 4, [1, 3]), form: 'transfer' });
    expect(fromSamples.notes.join('\n')).toMatch(/borrowed from a model of another device \(300 samples/);
    expect(evaluate(fromSamples, unseen).medianApe).toBeLessThan(0.3);
  });

  it('is refused without a source', () => {
    expect(() => fit({ form: 'transfer' })).toThrow(/needs the model or the samples of another device/);
  });
});
