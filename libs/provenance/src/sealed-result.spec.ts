import { generateKeyPairSync, sign } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import type { MeasureJob, MeasureResult, Seal } from '@alphaflops/contracts';
import { CONV_SPEC_DEFAULTS } from '@alphaflops/conv';
import { buildSample, provenance } from './sample.spec-helper.js';
import { batchDigest, isSealedBy, openResult, type SealedResult, sealResult } from './sealed-result.js';

const { publicKey, privateKey } = generateKeyPairSync('ed25519');
const key = publicKey.export({ format: 'jwk' }).x ?? '';
const other = generateKeyPairSync('ed25519').publicKey.export({ format: 'jwk' }).x ?? '';
const spec = { ...CONV_SPEC_DEFAULTS, height: 8, width: 8, cin: 4, cout: 4, kernel_h: 3, kernel_w: 3 };
const job = {
  ...{ campaignId: 'campaign-a', targetId: 'class-a', batchIndex: 2, protocol: { name: 'gpu', version: 1 } },
  slots: [4, 5].map((specIndex) => ({ specIndex, replicate: 0, spec })),
} as MeasureJob;
const { timing, conditions, algorithm, workspaceBytes, startedAt } = buildSample();
const result = {
  ...{ workerId: 'worker-a', deviceId: 'device-a', attempt: 1, provenance },
  results: job.slots.map(({ specIndex, replicate }) => ({
    ...{ specIndex, replicate, startedAt, signature: 'A'.repeat(86) },
    measurement: { outcome: 'ok', timing, conditions, algorithm, workspaceBytes },
  })),
} as MeasureResult;

/** The same label with another body. */
const withBody = async (bytes: Buffer): Promise<SealedResult> => ({
  ...(await sealResult(job, result, privateKey)),
  body: bytes,
});

describe('a sealed result', () => {
  it('opens to the same content, and is smaller when sealed', async () => {
    const many = { ...result, results: Array.from({ length: 100 }, () => result.results).flat() };
    const sealed = await sealResult(job, many, privateKey);
    expect(await isSealedBy(sealed, key)).toBe(true);
    expect(await openResult(sealed)).toEqual(many);
    expect(sealed.body.length).toBeLessThan(JSON.stringify(many).length / 3);
  });

  it('is not valid after any change, or for another worker', async () => {
    const { seal, body } = await sealResult(job, result, privateKey);
    const changes: Partial<Seal>[] = [
      ...[{ workerId: 'worker-b' }, { deviceId: 'device-b' }, { attempt: 2 }],
      { batchDigest: batchDigest({ ...job, batchIndex: 3 }) },
      { signature: sign(null, body, privateKey).toString('base64url') },
    ];
    for (const change of changes) {
      expect([change, await isSealedBy({ seal: { ...seal, ...change }, body }, key)]).toEqual([
        change,
        false,
      ]);
    }
    const changed = Uint8Array.from(body);
    changed[20] = (changed[20] ?? 0) ^ 1;
    expect(await isSealedBy({ seal, body: changed }, key)).toBe(false);
    expect(await isSealedBy({ seal, body }, other)).toBe(false);
  });

  it('identifies the batch: position, protocol, and each slot with its spec', () => {
    const [first, second] = job.slots as [MeasureJob['slots'][0], MeasureJob['slots'][0]];
    const others: MeasureJob[] = [
      ...[{ campaignId: 'b' }, { targetId: 'b' }, { batchIndex: 3 }].map((part) => ({ ...job, ...part })),
      { ...job, protocol: { ...job.protocol, version: 2 } },
      { ...job, slots: [first] },
      { ...job, slots: [second, first] },
      { ...job, slots: [first, { ...second, replicate: 1 }] },
      { ...job, slots: [first, { ...second, spec: { ...spec, stride: 2 } }] },
    ];
    const digests = [job, ...others].map(batchDigest);
    expect(new Set(digests).size).toBe(digests.length);
    expect(batchDigest(structuredClone(job))).toBe(batchDigest(job));
  });

  it('is refused when it is not a result, or when it is larger than a batch can be', async () => {
    const refused = async (bytes: Buffer) => openResult(await withBody(bytes)).catch(String);
    expect(await refused(Buffer.from('no gzip'))).toMatch(/incorrect header/);
    expect(await refused(gzipSync('{'))).toMatch(/JSON/);
    expect(await refused(gzipSync(JSON.stringify({ provenance: {}, results: [] })))).toMatch(/provenance/);
    expect(await refused(gzipSync(Buffer.alloc(300 * 1024 * 1024)))).toMatch(/larger than/);
  });
});
