import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildFakeGpu } from '@alphaflops/nvidia/testing';
import { findLibraries } from './find-libraries.js';
import { Library } from '@alphaflops/nvidia';

const gpu = buildFakeGpu();
if (gpu === null) it.skip('gcc is not installed: there is no library to find', () => undefined);
const directory = mkdtempSync(join(tmpdir(), 'alphaflops-libraries-'));

afterAll(() => {
  gpu?.remove();
  rmSync(directory, { recursive: true });
});

function canOpen(name: string): boolean {
  try {
    Library.open(name);
    return true;
  } catch {
    return false;
  }
}

(gpu === null ? it.skip : it)(
  'takes the newest that can be opened, from the first folder that has one',
  () => {
    const [good = ''] = gpu?.libraryPath ?? [];
    // A file of the newest name that is no library, and an older one that is.
    writeFileSync(join(directory, 'libcudnn.so.9'), 'not a library');
    symlinkSync(join(good, 'libcudnn.so.9'), join(directory, 'libcudnn.so.8'));
    const found = findLibraries([join(directory, 'no-such-folder'), directory, good]);
    if (!found.ok) throw new Error(found.reason);
    expect(found.libraries.cudnn.path).toBe(join(directory, 'libcudnn.so.8'));
    expect(found.libraries.cudart.path).toBe(join(good, 'libcudart.so.12'));
  },
);

const hasDriver = canOpen('libnvidia-ml.so.1');
const title = 'names each library that is missing, and what could not be opened';
if (hasDriver) it.skip(`${title}: this machine has them`, () => undefined);
else {
  it(title, () => {
    const broken = mkdtempSync(join(directory, 'broken-'));
    writeFileSync(join(broken, 'libcudart.so.12'), 'not a library');
    const found = findLibraries([broken]);
    if (found.ok) throw new Error('there should be no NVML');
    expect(found.reason).toMatch(/^no NVIDIA driver is installed here: libnvidia-ml\.so\.1 is missing; /);
    // A Python environment may have the other two.
    if (found.reason.includes('cudart'))
      expect(found.reason).toContain(`cannot open ${broken}/libcudart.so.12: `);
    expect(found.reason).toMatch(/\(looked in LD_LIBRARY_PATH, ldconfig, .*\)$/);
  });
}
