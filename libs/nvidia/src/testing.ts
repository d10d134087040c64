/** `@alphaflops/nvidia/testing`: a fake GPU (test/fake-gpu.c) for the tests of adapters. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Library, textIn } from './library.js';

const SOURCE = fileURLToPath(new URL('../test/fake-gpu.c', import.meta.url));

export const FIRST_GPU = 'GPU-fa4e0000-0000-0000-0000-000000000000';
export const SECOND_GPU = 'GPU-fa4e0000-0000-0000-0000-000000000001';

/** NVIDIA's libraries, compiled from C, in a folder of their own. */
export interface FakeGpu {
  readonly libraryPath: readonly string[];
  /** Makes the library in this process fail in the named way; '' ends the fault. */
  fault(name: string): void;
  /** Wrong calls since the last time, as text. */
  violations(): string;
  /** Objects that exist and are not destroyed yet. */
  live(): string;
  /** Descriptor values of the last convolution. */
  lastConv(): string;
  remove(): void;
}

/** Null without a C compiler. */
export function buildFakeGpu(): FakeGpu | null {
  if (spawnSync('gcc', ['--version']).status !== 0) return null;
  const directory = mkdtempSync(join(tmpdir(), 'alphaflops-fake-gpu-'));
  const file = join(directory, 'libfakegpu.so');
  const built = spawnSync(
    'gcc',
    ['-shared', '-fPIC', '-O2', '-fvisibility=hidden', '-Wl,-Bsymbolic', '-o', file, SOURCE, '-lm'],
    {
      encoding: 'utf8',
    },
  );
  if (built.status !== 0) throw new Error(built.stderr);
  for (const name of [
    'libcudart.so.12',
    'libcudnn.so.9',
    'libcublasLt.so.12',
    'libnvidia-ml.so.1',
    'libcuda.so.1',
  ]) {
    symlinkSync(file, join(directory, name));
  }
  const library = Library.open(file);
  const fault = library.bind('int fake_fault(const char *name)');
  const ask = (name: string): (() => string) => {
    const call = library.bind(`int ${name}(void *text, size_t size)`);
    return () => {
      const text = Buffer.alloc(4096);
      call(text, text.length);
      return textIn(text).trim();
    };
  };
  return {
    libraryPath: [directory],
    fault: (name) => void fault(name),
    violations: ask('fake_violations'),
    live: ask('fake_live'),
    lastConv: ask('fake_last_conv'),
    remove: () => {
      rmSync(directory, { recursive: true });
    },
  };
}
