import type { CampaignProgress, Model } from '@alphaflops/contracts';
import { disturbanceText, whatTheAlphaMeans } from './demo-words.js';

/** A model as far as the words need one. */
function model(flopsError: number, beta: number, gamma: number, state = 'estimated'): Model {
  const parameters = [
    { name: 'beta', value: beta, state },
    { name: 'gamma', value: gamma, state },
  ];
  const forms = [
    { form: 'flops', heldOut: { medianApe: flopsError }, groups: [] },
    { form: 'alpha', heldOut: { medianApe: 0.05 }, groups: [{ group: 'other', parameters }] },
  ];
  return { forms, chosenForm: 'alpha' } as unknown as Model;
}

describe('what the demo says of α', () => {
  it('is proportional only where the error of FLOPs and α are both near', () => {
    const text = whatTheAlphaMeans(model(0.03, 0.5, 0.01));
    expect(text).toMatch(/nearly proportional/);
    expect(text).toMatch(/α at 56 × 56 outputs: other kernels 0\.99\d/);
    expect(text).toMatch(/raw FLOPs 3\.0 %, alpha 5\.0 %/);
  });

  it.each([
    ['FLOPs are far off', model(0.288, 0.5, 0.01)],
    ['α is not near 1', model(0.03, 0.1, 0.5)],
    ['α is unknown and FLOPs are far off', model(0.288, 1, 0, 'not-identifiable')],
  ])('is not proportional where %s', (_why, fitted) => {
    expect(whatTheAlphaMeans(fitted)).toMatch(/not proportional/);
  });

  it('shows no α that the data do not tell', () => {
    const text = whatTheAlphaMeans(model(0.03, 1, 0, 'not-identifiable'));
    expect(text).toMatch(/do not tell β and γ, so no α is shown/);
    expect(text).not.toMatch(/α at/);
  });
});

it('says how many samples were disturbed, and what to do', () => {
  const progress = (outcomes: object) => ({ outcomes, totalSlots: 150 }) as unknown as CampaignProgress;
  expect(disturbanceText(progress({ ok: 150 }))).toBeNull();
  expect(disturbanceText(progress({ ok: 148, noisy: 2 }))).toMatch(
    /^2 of 150 samples are noisy: .*\n.*run the demo again/,
  );
});
