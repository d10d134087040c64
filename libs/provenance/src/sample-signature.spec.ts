import { generateKeyPairSync, sign } from 'node:crypto';
import { type Sample, SampleSchema } from '@alphaflops/contracts';
import { canonicalJson } from './canonical-json.js';
import { isSignedBy, SIGNED_FIELDS, SIGNED_IF_PRESENT, signSample } from './sample-signature.js';
import { buildSample } from './sample.spec-helper.js';

const keys = () => {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  return { publicKey: publicKey.export({ format: 'jwk' }).x ?? '', privateKey };
};
const { publicKey, privateKey } = keys();
const signed = (sample: Sample): Sample => ({ ...sample, signature: signSample(sample, privateKey) });

/** Fields that the coordinator adds. `spec` is represented by its key. */
const UNSIGNED = ['id', 'spec', 'deviceClassId', 'recordedAt', 'importedAt', 'setAside', 'signature'];

describe('the signature of a sample', () => {
  it('is valid, also after a conversion to JSON and back, with the keys in any order', async () => {
    for (const sample of [buildSample(), buildSample({ outcome: 'timeout' })].map(signed)) {
      expect(await isSignedBy(sample, publicKey)).toBe(true);
      const there = JSON.parse(JSON.stringify(sample)) as Sample;
      const reversed = Object.fromEntries(Object.entries(there).toReversed()) as Sample;
      expect(await isSignedBy(reversed, publicKey)).toBe(true);
    }
  });

  it('covers every field except those that the coordinator adds', async () => {
    expect([...SIGNED_FIELDS, ...SIGNED_IF_PRESENT, ...UNSIGNED].toSorted()).toEqual(
      Object.keys(SampleSchema.shape).toSorted(),
    );
    const sample = signed(buildSample());
    const other = buildSample({ outcome: 'noisy', specIndex: 3 });
    const changes: Partial<Sample> = {
      ...other,
      campaignId: 'campaign-b',
      targetId: 'class-b',
      batchIndex: 9,
      attempt: 2,
      replicate: 1,
      workerId: 'worker-b',
      deviceId: 'device-b',
      provenanceId: 'p',
      protocol: { ...sample.protocol, version: 99 },
      startedAt: '2026-03-01T12:00:00.001Z',
      conditions: null,
      algorithm: 'another',
      workspaceBytes: 1,
    };
    for (const field of SIGNED_FIELDS) {
      const forged = { ...sample, [field]: changes[field] };
      expect([field, await isSignedBy(forged, publicKey)]).toEqual([field, false]);
    }
    for (const field of ['id', 'deviceClassId', 'recordedAt'] as const) {
      expect(await isSignedBy({ ...sample, [field]: 'another' }, publicKey)).toBe(true);
    }
    const timing = sample.timing && { ...sample.timing, timeMs: sample.timing.timeMs * (1 + 1e-15) };
    expect(await isSignedBy({ ...sample, timing }, publicKey)).toBe(false);
  });

  it('covers fields of later versions, if a sample has them', async () => {
    const kernel = { name: 'eng0_k2=4', engine: 0, knobs: [{ type: 2, value: 4 }] };
    const sample = signed({
      ...buildSample(),
      kernel: { ...kernel, numericalNotes: ['tensor-core'], planBuildMs: 1.5 },
      powerLimited: true,
    });
    expect(await isSignedBy(sample, publicKey)).toBe(true);
    for (const field of SIGNED_IF_PRESENT) {
      expect([field, await isSignedBy({ ...sample, [field]: undefined }, publicKey)]).toEqual([field, false]);
    }
    expect(await isSignedBy({ ...signed(buildSample()), powerLimited: false }, publicKey)).toBe(false);
  });

  it('is valid for energies that were signed under their former names', async () => {
    const sample = buildSample();
    const energy = { measured: true as const, windowMs: 1000, iterations: 9, doubt: null };
    const timing = { ...sample.timing, energyMj: 12.5, energy: { ...energy, integratedMj: 12.25 } };
    delete timing.energyMillijoules;
    const before = { ...sample, timing };
    const fields = Object.fromEntries(SIGNED_FIELDS.map((name) => [name, before[name]]));
    const text = Buffer.from(`alphaflops.sample/1\n${canonicalJson(fields)}`);
    const signature = sign(null, text, privateKey).toString('base64url');
    const now = SampleSchema.parse({ ...before, signature });
    expect(now.timing).toMatchObject({ energyMillijoules: 12.5, energy: { integratedMillijoules: 12.25 } });
    expect(now.timing).not.toHaveProperty('energyMj');
    expect(await isSignedBy(now, publicKey)).toBe(true);
    expect(signSample(now, privateKey)).toBe(signature);
  });

  it('is valid for one worker only, and other text is not a signature', async () => {
    const sample = signed(buildSample());
    expect(await isSignedBy(sample, keys().publicKey)).toBe(false);
    const [first, ...rest] = sample.signature ?? '';
    const changed = [first === 'A' ? 'B' : 'A', ...rest].join('');
    for (const signature of [null, '', 'AAAA', changed, 'ä', 'A'.repeat(86)]) {
      expect(await isSignedBy({ ...sample, signature }, publicKey)).toBe(false);
    }
    expect(await isSignedBy(sample, 'A'.repeat(43))).toBe(false);
  });
});
