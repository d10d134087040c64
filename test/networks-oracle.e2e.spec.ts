import { spawnSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { macs } from '@alphaflops/conv';
import { bytesSource } from '@alphaflops/networks';
import { evaluateOnnx, RandomNetwork } from '@alphaflops/networks/testing';
import { pythonForTests } from './support/python.js';

/** Compares sizes and multiply-adds of random networks with the reference implementation of the ONNX project. */
const python = pythonForTests();
const isThere = python.skip === null && python.has('onnx');
const SCRIPT = join(import.meta.dirname, '../libs/networks/cases/oracle.py');
const [NETWORKS, STEPS] = [60, 14];

if (!isThere) {
  it.skip('random networks have the sizes of onnx.reference (skipped: node tools/python-for-tests.mjs onnx)', () =>
    undefined);
}
const withOnnx = isThere ? describe : describe.skip;

withOnnx('random networks', () => {
  let directory: string;
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'alphaflops-oracle-'));
  });
  afterAll(() => rm(directory, { recursive: true }));

  it('have the sizes and the multiply-adds of onnx.reference', async () => {
    const files = new Map<string, Uint8Array>();
    for (let seed = 0; seed < NETWORKS; seed++) {
      const path = join(directory, `${seed}.onnx`);
      const network = new RandomNetwork(seed, STEPS);
      files.set(path, network.file('shuffled'));
      await writeFile(path, network.file('sorted'));
    }
    const { stdout, stderr, status } = spawnSync(python.program, [SCRIPT, ...files.keys()], {
      maxBuffer: 2 ** 28,
    });
    expect([status, stderr.toString()]).toEqual([0, '']);
    const reference = JSON.parse(stdout.toString()) as Record<
      string,
      { shapes: Record<string, number[]>; macs: number }
    >;
    for (const [path, file] of files) {
      const { values, network } = evaluateOnnx(bytesSource(file));
      const { shapes, macs: expected } = reference[path] ?? { shapes: {}, macs: NaN };
      expect(Object.keys(shapes).length).toBeGreaterThan(3);
      const found = Object.fromEntries(Object.keys(shapes).map((name) => [name, values.get(name)?.shape]));
      expect({ path, found }).toEqual({ path, found: shapes });
      const costed = network.layers.reduce((sum, { spec }) => sum + macs(spec), 0);
      expect({ path, macs: costed }).toEqual({ path, macs: expected });
      expect(network.completeness).toMatchObject({ isComplete: true, missing: [] });
    }
  }, 120_000);
});
