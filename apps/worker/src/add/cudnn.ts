import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import { z } from 'zod';
import { WorkerError } from '../error.js';
import { nvidiaDriver } from '../machine-report.js';
import type { AddContext } from './context.js';
import { download, fetchJson } from './download.js';
import { unpackWheel } from './wheel.js';

/** Driver from which on CUDA 13 works; older ones have CUDA 12. */
const CUDA_13_DRIVER = 580;

/** NVIDIA's packages at PyPI, and the major version of each. */
const WHEELS = {
  12: [
    ['nvidia-cuda-runtime-cu12', 12],
    ['nvidia-cuda-nvrtc-cu12', 12],
    ['nvidia-cublas-cu12', 12],
    ['nvidia-cudnn-cu12', 9],
  ],
  13: [
    ['nvidia-cuda-runtime', 13],
    ['nvidia-cuda-nvrtc', 13],
    ['nvidia-cublas', 13],
    ['nvidia-cudnn-cu13', 9],
  ],
} as const;

const SIMPLE_JSON = 'application/vnd.pypi.simple.v1+json';
const ProjectSchema = z.object({
  files: z.array(
    z.object({
      filename: z.string(),
      url: z.string(),
      hashes: z.record(z.string(), z.string()),
      yanked: z.union([z.boolean(), z.string()]).default(false),
    }),
  ),
});

/**
 * CUDA's runtime, cuBLAS, NVRTC and cuDNN from NVIDIA's wheels, with pip or from the index itself. Their libraries go to
 * nvidia/NAME/lib, which the worker's launcher adds to the loader's path.
 */
export async function addCudnn(context: AddContext): Promise<void> {
  const { root, python, print } = context;
  const driver = nvidiaDriver();
  const major = Number.parseInt(driver?.version ?? '', 10) >= CUDA_13_DRIVER ? 13 : 12;
  const found = driver === null ? 'no NVIDIA driver was found here' : `driver ${driver.version}`;
  print(
    `Getting cuDNN 9 and CUDA ${major} (${found}): about 1.3 GB of NVIDIA's Python packages, under NVIDIA's licence:\n` +
      '  https://docs.nvidia.com/deeplearning/cudnn/latest/reference/eula.html and https://docs.nvidia.com/cuda/eula\n',
  );
  await mkdir(root, { recursive: true });
  const scratch = await mkdtemp(join(root, '.nvidia-'));
  try {
    const names = WHEELS[major].map(([name, version]) => `${name}==${version}.*`);
    if (!(await downloadByPip(python, names, scratch))) {
      for (const [name, version] of WHEELS[major]) await downloadByUrl(name, version, scratch, context);
    }
    const unpacked = join(scratch, 'nvidia');
    for (const file of await readdir(scratch)) {
      if (!file.endsWith('.whl')) continue;
      print(`Unpacking ${basename(file)}\n`);
      await unpackWheel(
        join(scratch, file),
        scratch,
        /^nvidia\/[^/]+\/lib\/[^/]+$|\/licenses\/|^[^/]+\.dist-info\/License/i,
      );
      await rm(join(scratch, file));
    }
    await rm(join(root, 'nvidia'), { recursive: true, force: true });
    await rename(unpacked, join(root, 'nvidia'));
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

/** Returns false if pip is missing. */
async function downloadByPip(python: string, names: readonly string[], folder: string): Promise<boolean> {
  const run = promisify(execFile);
  try {
    await run(python, ['-m', 'pip', '--version']);
  } catch {
    return false;
  }
  const options = ['--no-deps', '--only-binary=:all:', '--disable-pip-version-check', '--quiet'];
  try {
    await run(python, ['-m', 'pip', 'download', ...options, '--dest', folder, ...names]);
    return true;
  } catch (cause) {
    const lines = String((cause as { stderr?: unknown }).stderr)
      .trim()
      .split('\n');
    throw new WorkerError('cannot-add', `pip cannot download ${names.join(', ')}: ${lines.at(-1) ?? ''}`, {
      cause,
    });
  }
}

/** The newest wheel for this platform, by the index's JSON (PEP 691). */
async function downloadByUrl(
  name: string,
  major: number,
  folder: string,
  context: AddContext,
): Promise<void> {
  const { registries, fetch, print } = context;
  if (registries.python === null) {
    throw new WorkerError(
      'cannot-add',
      'This machine has no pip. Install it (Debian and Ubuntu: apt install python3-pip), or set PIP_INDEX_URL to the ' +
        'address of a Python package index.',
    );
  }
  const page = `${registries.python}/${name}/`;
  const { files } = ProjectSchema.parse(await fetchJson(page, SIMPLE_JSON, fetch));
  const platform = new RegExp(`linux.*_${process.arch === 'x64' ? 'x86_64' : 'aarch64'}\\.whl$`);
  const wheels = files
    .filter(({ filename, yanked }) => yanked === false && platform.test(filename))
    .map((file) => ({ ...file, version: (file.filename.split('-')[1] ?? '').split('.').map(Number) }))
    .filter(({ version }) => version[0] === major && version.every(Number.isInteger))
    .sort((a, b) => compareVersions(a.version, b.version));
  const newest = wheels.at(-1);
  const value = newest?.hashes['sha256'];
  if (newest === undefined || value === undefined) {
    throw new WorkerError(
      'cannot-add',
      `${page} has no wheel of version ${major} for linux-${process.arch}.`,
    );
  }
  print(`Getting ${newest.filename}\n`);
  const digest = { algorithm: 'sha256', encoding: 'hex', value } as const;
  await download(new URL(newest.url, page).href, join(folder, newest.filename), digest, fetch);
}

function compareVersions(a: readonly number[], b: readonly number[]): number {
  const at = a.findIndex((part, index) => part !== b[index]);
  return at === -1 ? a.length - b.length : (a[at] ?? 0) - (b[at] ?? -1);
}
