import type { Campaign, CampaignProgress, Model } from '@alphaflops/contracts';
import { disturbanceText, visitsText, whatTheAlphaMeans } from './demo-words.js';

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

describe('the texts of the demo', () => {
  it('call time proportional to FLOPs only if the error of FLOPs and α are both near', () => {
    const text = whatTheAlphaMeans(model(0.03, 0.5, 0.01));
    expect(text).toMatch(/nearly proportional/);
    expect(text).toMatch(/α at 56 × 56 outputs: other kernels 0\.99\d/);
    expect(text).toMatch(/raw FLOPs 3\.0 %, alpha 5\.0 %/);
  });

  it.each([
    ['FLOPs are far off', model(0.288, 0.5, 0.01)],
    ['α is not near 1', model(0.03, 0.1, 0.5)],
    ['α is unknown and FLOPs are far off', model(0.288, 1, 0, 'not-identifiable')],
  ])('do not call time proportional to FLOPs if %s', (_why, fitted) => {
    expect(whatTheAlphaMeans(fitted)).toMatch(/not proportional/);
  });

  it('show no α that the data do not determine', () => {
    const text = whatTheAlphaMeans(model(0.03, 1, 0, 'not-identifiable'));
    expect(text).toMatch(/do not determine β and γ, so no α is shown/);
    expect(text).not.toMatch(/α at/);
  });
});

it('report the number of disturbed samples, and what to do', () => {
  const progress = (outcomes: object) => ({ outcomes, totalSlots: 150 }) as unknown as CampaignProgress;
  expect(disturbanceText(progress({ ok: 150 }))).toBeNull();
  expect(disturbanceText(progress({ ok: 148, noisy: 2 }))).toMatch(
    /^2 of 150 samples are noisy: .*\n.*run the demo again/,
  );
});

it('repeat the report of the worker about a disturbance that does not end', () => {
  const progress = { outcomes: { noisy: 150 }, totalSlots: 150 } as unknown as CampaignProgress;
  expect(disturbanceText(progress, 'other programs slow it down')).toMatch(
    /^This machine stays disturbed: other programs slow it down\.\n150 of 150/,
  );
});

it('report the noise floor, and the number of shapes that were measured again', () => {
  const revisits = [
    { replicate: 1, deviceId: 'd', specIndexes: [0, 5, 9] },
    { replicate: 2, deviceId: 'd', specIndexes: [5] },
  ];
  const campaign = { request: { replicates: 1 }, repeats: { specIndexes: [0, 5, 9], revisits } };
  const noiseFloor = { shapes: 3, medianLogRatio: Math.log(1.012), p90LogRatio: Math.log(1.034) };
  const text = visitsText({ noiseFloor } as CampaignProgress, campaign as unknown as Campaign);
  expect(text).toMatch(/^Noise floor: 1\.2 % \(90th percentile 3\.4 %\) between two visits of 3 shapes\./);
  expect(text).toMatch(/3 shapes were measured again; 1 of them a third time/);
  expect(visitsText({ noiseFloor: null } as CampaignProgress, {} as Campaign)).toBeNull();
});
