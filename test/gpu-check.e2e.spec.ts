/** tools/gpu-check in use: packed on this machine, and run without Node and Redis on the fake GPU. */
import { execFile, execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { buildFakeGpu } from '@alphaflops/nvidia/testing';

const root = resolve(import.meta.dirname, '..');
const STUB = join(root, 'libs/executor-process/test/stub.py');
const gpu = buildFakeGpu();
const withGcc = gpu === null ? describe.skip : describe;
if (gpu === null) it.skip('gcc is not installed: the fake GPU cannot be built', () => undefined);

afterAll(() => {
  gpu?.remove();
});

/** Returns the real path of a program, behind links and the shims of version managers. */
function located(name: string): string {
  const command =
    name === 'python3' ? ['python3', '-c', 'import sys; print(sys.executable)'] : ['which', name];
  return execFileSync(command[0] ?? '', command.slice(1), { encoding: 'utf8' }).trim();
}

/** Small shapes, because the fake GPU really computes them. */
const ROWS = Array.from({ length: 24 }, (_, i) => {
  const kernel = 1 + (i % 3);
  return `1,${4 + i},${9 - (i % 5)},${1 + (i % 7)},${2 + (i % 4)},${kernel},${kernel},1,1,f32,0.01,1.5`;
});

withGcc('the check of a GPU machine', () => {
  it('is one file, and measures through a whole deployment and in a bare loop', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'alphaflops-gpu-check-'));
    try {
      const header = 'batch,height,width,cin,cout,kernel_h,kernel_w,stride,groups,dtype,time_ms,energy_mj';
      const data = `${[header, ...ROWS].join('\n')}\n`;
      await writeFile(join(directory, 'h100-random.csv'), data);
      await writeFile(join(directory, 'h100-energy.csv'), data);
      const packed = join(directory, 'gpu-check.tgz');
      execFileSync(process.execPath, [join(root, 'tools/gpu-check/pack.mjs'), directory, packed]);
      execFileSync('tar', ['xzf', packed, '-C', directory]);

      const bin = join(directory, 'bin');
      await mkdir(bin);
      for (const name of ['sh', 'dirname', 'python3']) await symlink(located(name), join(bin, name));
      const out = join(directory, 'out');
      const { stdout } = await promisify(execFile)(
        join(directory, 'gpu-check/run.sh'),
        [
          ...['--out', out, '--library-path', (gpu?.libraryPath ?? []).join(':')],
          ...['--only', 'everyPrecision', '--only', 'times', '--only', 'campaign'],
        ],
        { env: { PATH: bin, HOME: directory, GPU_CHECK_PROCESS: `python3 "${STUB}"` } },
      ).catch((cause: unknown) => {
        // The report on standard output contains the failures.
        const { message, stdout: report } = cause as Error & { stdout: string };
        throw new Error(`${message}\n${report}`, { cause });
      });
      expect(stdout).toContain('Fake GPU');
      const report = JSON.parse(await readFile(join(out, 'gpu-check.json'), 'utf8')) as unknown;
      const shapes = ROWS.length;
      expect(report).toMatchObject({
        failures: [],
        everyPrecision: { right: 30, unsupported: [] },
        times: { outcomes: { ok: shapes } },
        campaign: {
          shapes,
          outcomes: { ok: shapes },
          bareMs: [expect.any(Number), expect.any(Number)],
          pytorch: { outcomes: { ok: shapes }, cudnnOverPytorch: [{ kernels: 'all', shapes }, {}, {}] },
        },
      });
    } finally {
      await rm(directory, { recursive: true });
    }
  }, 300_000);

  it('lists the checks', async () => {
    const data = join(root, 'tools/gpu-check/gpu-check.mjs');
    const ended = promisify(execFile)(process.execPath, [
      ...[data, '--only', 'speed', '--library-path', (gpu?.libraryPath ?? []).join(':')],
    ]);
    await expect(ended).rejects.toMatchObject({
      code: 2,
      stderr: expect.stringContaining('There is no check speed: conformance'),
    });
  });
});
