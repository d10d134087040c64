import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { errorText, type Result } from '@alphaflops/contracts';
import { Library } from '@alphaflops/nvidia';

/** The libraries, newest first. Several may be needed before one can be opened. */
const SONAMES = {
  cudart: ['libcudart.so.13', 'libcudart.so.12', 'libcudart.so.11.0'],
  cudnn: ['libcudnn.so.9', 'libcudnn.so.8'],
  nvml: ['libnvidia-ml.so.1'],
} as const;

/**
 * Libraries that cuDNN opens itself, by these names and only on the system's path. A Python environment has them elsewhere. The
 * loader finds an open library by its name, at any path.
 */
const HELPERS = [/^libnvrtc\.so\.\d+(\.\d+)?$/, /^libcublasLt\.so\.\d+$/, /^libcublas\.so\.\d+$/];

const SEARCHED = 'LD_LIBRARY_PATH, ldconfig, /usr/local/cuda*, nvidia/*/lib of python3';

export type LibraryName = keyof typeof SONAMES;
export type FoundLibraries = Readonly<Record<LibraryName, Library>>;
export type FindResult = Result<{ libraries: FoundLibraries }>;

/**
 * Opens libcudart, libcudnn and libnvidia-ml. It searches `libraryPath` (LD_LIBRARY_PATH), the list of `ldconfig -p`,
 * /usr/local/cuda*, and the Python environment of `python3` (nvidia/*\/lib). At last it lets the loader search.
 */
export function findLibraries(libraryPath: readonly string[]): FindResult {
  const places = new Places(libraryPath);
  const found: Partial<Record<LibraryName, Library>> = {};
  const missing: string[] = [];
  for (const name of ['nvml', 'cudart', 'cudnn'] as const) {
    const opened = openFirst(SONAMES[name], places);
    if (opened instanceof Library) found[name] = opened;
    else missing.push(opened);
  }
  if (found.cudnn !== undefined) {
    const why = openCublasLt(found.cudnn, places);
    if (why !== null) missing.push(why);
  }
  const { cudart, cudnn, nvml } = found;
  if (cudart !== undefined && cudnn !== undefined && nvml !== undefined && missing.length === 0) {
    return { ok: true, libraries: { cudart, cudnn, nvml } };
  }
  const noDriver = nvml === undefined ? 'no NVIDIA driver is installed here: ' : '';
  return { ok: false, reason: `${noDriver}${missing.join('; ')} (looked in ${SEARCHED})` };
}

/**
 * Opens the libcublasLt of the CUDA that cuDNN was built with. Without it, cuDNN ends the whole process when it first needs it.
 *
 * @returns why it cannot be opened, or null
 */
function openCublasLt(cudnn: Library, places: Places): string | null {
  const cuda = cudnn.bind('size_t cudnnGetCudartVersion()')();
  const opened = openFirst([`libcublasLt.so.${Math.floor(cuda / 1000)}`], places);
  return opened instanceof Library ? null : `${opened}, which cuDNN needs`;
}

/** Only cuDNN, with the libraries that it opens itself, for requests that need no device. */
export function findCudnn(libraryPath: readonly string[]): Result<{ cudnn: Library }> {
  const places = new Places(libraryPath);
  const cudnn = openFirst(SONAMES.cudnn, places);
  const why = cudnn instanceof Library ? openCublasLt(cudnn, places) : cudnn;
  if (cudnn instanceof Library && why === null) return { ok: true, cudnn };
  return { ok: false, reason: `${why ?? ''} (looked in ${SEARCHED})` };
}

/** The library, or the reason why it cannot be loaded. */
function openFirst(sonames: readonly string[], places: Places): Library | string {
  const refusals: string[] = [];
  for (const directory of places.directories()) {
    for (const soname of sonames) {
      const path = join(directory, soname);
      if (!existsSync(path)) continue;
      if (places.isPython(directory)) openHelpers(places);
      const opened = open(path);
      if (opened instanceof Library) return opened;
      refusals.push(`${path}: ${opened}`);
    }
  }
  for (const soname of sonames) {
    const opened = open(soname);
    if (opened instanceof Library) return opened;
  }
  const names = sonames.join(' or ');
  return refusals.length > 0 ? `cannot open ${refusals.join(', ')}` : `${names} is missing`;
}

/** A repeated open of a library takes no time. */
function openHelpers(places: Places): void {
  for (const pattern of HELPERS) {
    for (const directory of places.pythonDirectories()) {
      for (const file of filesIn(directory)) if (pattern.test(file)) open(join(directory, file));
    }
  }
}

function open(path: string): Library | string {
  try {
    return Library.open(path);
  } catch (error) {
    return errorText(error).split('\n')[0] ?? '';
  }
}

/** Folders with libraries. A search that runs a program is done once, and only when it is needed. */
class Places {
  private fromLdconfig: readonly string[] | null = null;
  private fromPython: readonly string[] | null = null;

  constructor(private readonly libraryPath: readonly string[]) {}

  *directories(): Generator<string> {
    yield* this.libraryPath;
    yield* (this.fromLdconfig ??= ldconfigDirectories());
    yield* cudaDirectories();
    yield* this.pythonDirectories();
  }

  isPython(directory: string): boolean {
    return this.fromPython?.includes(directory) ?? false;
  }

  pythonDirectories(): readonly string[] {
    return (this.fromPython ??= pythonDirectories());
  }
}

function ldconfigDirectories(): string[] {
  const lines = outputOf('/sbin/ldconfig', ['-p']).split('\n');
  const paths = lines.filter(
    (line) =>
      /\blib(cudart|cudnn|cublasLt|nvidia-ml)\.so/.test(line) &&
      line.includes('x86-64') === (process.arch === 'x64'),
  );
  return unique(paths.map((line) => line.split(' => ')[1]?.replace(/\/[^/]*$/, '') ?? ''));
}

function cudaDirectories(): string[] {
  const installations = filesIn('/usr/local').filter((name) => /^cuda(-[\d.]+)?$/.test(name));
  const inside = ['lib64', 'targets/x86_64-linux/lib', 'targets/sbsa-linux/lib', 'extras/CUPTI/lib64'];
  return installations.sort().flatMap((name) => inside.map((part) => join('/usr/local', name, part)));
}

/** Wheels of NVIDIA put each library in nvidia/NAME/lib of the environment's packages. */
function pythonDirectories(): string[] {
  const program =
    'import site,sysconfig;print(*{sysconfig.get_path("purelib"),*site.getsitepackages(),site.getusersitepackages()},sep="\\n")';
  const packages = outputOf('python3', ['-c', program])
    .split('\n')
    .filter((line) => line !== '');
  return packages.sort().flatMap((directory) => {
    const nvidia = join(directory, 'nvidia');
    return filesIn(nvidia).map((name) => join(nvidia, name, 'lib'));
  });
}

function outputOf(program: string, args: string[]): string {
  try {
    return execFileSync(program, args, {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
      timeout: 10_000,
    });
  } catch {
    return '';
  }
}

function filesIn(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}

function unique(names: readonly string[]): string[] {
  return [...new Set(names)].filter((name) => name !== '');
}
