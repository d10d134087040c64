import { readFileSync } from 'node:fs';
import { Library } from './library.js';

/** The text for CUDA's number: 12090 is 12.9. */
export function cudaVersionText(version: number): string {
  return `${Math.floor(version / 1000)}.${Math.floor((version % 1000) / 10)}`;
}

/** The text for cuDNN's number: cuDNN 8 has 8902 for 8.9.2, and cuDNN 9 has 90200 for 9.2.0. */
export function cudnnVersionText(version: number): string {
  const ofMajor = version >= 90_000 ? 10_000 : 1000;
  const rest = version % ofMajor;
  return `${Math.floor(version / ofMajor)}.${Math.floor(rest / 100)}.${version % 100}`;
}

/**
 * Versions of the CUDA runtime and of cuDNN that another module has loaded into this process. It does not report libraries
 * that are linked into another library or not loaded, and it reports nothing outside Linux.
 */
export function loadedVersions(): { cuda?: string; cudnn?: string } {
  const cudart = loadedLibrary('libcudart');
  const cudnn = loadedLibrary('libcudnn');
  const out = new Int32Array(1);
  cudart?.bind('int cudaRuntimeGetVersion(void *version)')(out);
  return {
    ...(cudart !== null && { cuda: cudaVersionText(out[0] ?? 0) }),
    ...(cudnn !== null && { cudnn: cudnnVersionText(cudnn.bind('size_t cudnnGetVersion()')()) }),
  };
}

/** Opens a library that is already loaded. */
function loadedLibrary(name: string): Library | null {
  let maps: string;
  try {
    maps = readFileSync('/proc/self/maps', 'utf8');
  } catch {
    return null;
  }
  const path = maps
    .split('\n')
    .map((line) => line.slice(line.indexOf('/')))
    .find((file) => file.includes(`/${name}.so.`));
  return path === undefined ? null : Library.open(path);
}
