import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import path from 'node:path';

const VERSIONS = [20, 22, 24, 26];
const root = path.resolve(import.meta.dirname, '../../..');
const { nodeProgram } = (await import(pathToFileURL(path.join(root, 'tools/node-for-tests.mjs')).href)) as {
  nodeProgram: (major: number) => string;
};
const present = VERSIONS.filter((major) => existsSync(nodeProgram(major)));
const absent = VERSIONS.filter((major) => !present.includes(major));

/** Fits 160 synthetic samples by one form and prints the document. It uses only the build. */
const PROGRAM = `
import { fitModel } from '@alphaflops/models';
import { CONV_SPEC_DEFAULTS, macs } from '@alphaflops/conv';
let state = 1;
const draw = (low, high) => {
  state = (Math.imul(state, 1103515245) + 12345) >>> 0;
  return low + Math.floor((state / 4294967296) * (high - low + 1));
};
const samples = Array.from({ length: 160 }, () => {
  const side = draw(4, 60);
  const kernel = draw(0, 2) * 2 + 1;
  const spec = { ...CONV_SPEC_DEFAULTS, height: side, width: side, cin: draw(3, 200), cout: draw(3, 200), kernel_h: kernel, kernel_w: kernel };
  const millions = macs(spec) / 1e6;
  return { spec, timeMs: 0.01 + 0.002 * millions / Math.sqrt(1 + millions / 100) * (1 + draw(-50, 50) / 1000) };
});
const origin = { digest: '', codeVersion: '0', createdAt: '2026-01-01T00:00:00Z' };
const forms = process.argv.slice(1);
for (const form of forms) console.log(JSON.stringify(fitModel(samples, { form, device: { smCount: 80 }, origin })));
`;

function fitBy(major: number): string[] {
  const args = ['--input-type=module', '--eval', PROGRAM, 'alpha-latency', 'alpha-axes', 'boosted'];
  const printed = execFileSync(nodeProgram(major), args, { cwd: import.meta.dirname, encoding: 'utf8' });
  return printed.trim().split('\n');
}

describe('the same fit on every version of Node', () => {
  const own = Number(process.versions.node.split('.')[0]);
  let expected: string[] = [];

  beforeAll(() => {
    expected = fitBy(own);
  });

  it('gives documents', () => {
    expect(expected.map((text) => (JSON.parse(text) as { chosenForm: string }).chosenForm)).toEqual([
      'alpha-latency',
      'alpha-axes',
      'boosted',
    ]);
  });

  for (const major of present.filter((version) => version !== own)) {
    it(`gives the same bytes on Node ${major} as on Node ${own}`, () => {
      expect(fitBy(major)).toEqual(expected);
    });
  }
  for (const major of absent) {
    it.skip(`gives the same bytes on Node ${major} (skipped: run node tools/node-for-tests.mjs ${major})`, () => {
      // needs that version
    });
  }
});
