import { readdir } from 'node:fs/promises';
import * as os from 'node:os';
import type { Result } from '@alphaflops/contracts';

/** Without this, Dawn rounds GPU timestamps to 65 µs, as browsers must. */
const OPTIONS = ['disable-dawn-features=timestamp_quantization'];

/** A WebGPU implementation, which exists as long as it is referenced. Throws the loader's error for a missing library. */
export async function createDawn(): Promise<GPU> {
  const { create, globals } = await import('webgpu');
  // Classes and constants that TensorFlow.js expects where browsers have them.
  Object.assign(globalThis, globals);
  return create(OPTIONS);
}

export interface AdapterWish {
  /** Whether to use an adapter that computes on the processor, instead of a GPU. */
  readonly software: boolean;
}

export type AdapterAnswer = Result<{ adapter: GPUAdapter }>;

/** The adapter of the requested kind that Dawn prefers, or a description of what is missing. */
export async function requestAdapter(gpu: GPU, { software }: AdapterWish): Promise<AdapterAnswer> {
  const adapter = await gpu.requestAdapter({
    powerPreference: 'high-performance',
    forceFallbackAdapter: software,
  });
  if (adapter === null) return { ok: false, reason: await whyNone(software) };
  const refusal = whyRefused(adapter, software);
  return refusal === null ? { ok: true, adapter } : { ok: false, reason: refusal };
}

/** Why this adapter cannot be used; null if it can. */
export function whyRefused(adapter: Pick<GPUAdapter, 'info' | 'features'>, software: boolean): string | null {
  const name = `${adapter.info.device || adapter.info.vendor} (${adapter.info.description})`;
  if (isSoftware(adapter.info) && !software) {
    return (
      `there is only a software adapter, ${name}: it computes on the processor, and its times say nothing of a ` +
      'GPU. --software-adapter uses it all the same'
    );
  }
  if (!isSoftware(adapter.info) && software) return `${name} is not a software adapter, which was requested`;
  if (!adapter.features.has('timestamp-query')) {
    return `${name} does not tell the GPU’s own time (WebGPU’s feature timestamp-query), and the host’s is not it`;
  }
  return null;
}

const SOFTWARE = /swiftshader|llvmpipe|lavapipe|softpipe|basic render|\bwarp\b/i;

/** Drivers do not always report it. */
export function isSoftware({
  isFallbackAdapter,
  architecture,
  device,
  description,
}: GPUAdapterInfo): boolean {
  return isFallbackAdapter || [architecture, device, description].some((text) => SOFTWARE.test(text));
}

async function whyNone(software: boolean): Promise<string> {
  const what = software ? 'software adapter' : 'adapter';
  if (os.platform() !== 'linux') return `Dawn finds no ${what}`;
  if (!hasLibrary('libvulkan.so.1')) {
    return 'the Vulkan loader libvulkan.so.1 is missing (Debian, Ubuntu: apt-get install libvulkan1)';
  }
  const drivers = await vulkanDrivers();
  const found =
    drivers.length > 0
      ? `of ${drivers.join(', ')} none offers one that Dawn accepts`
      : 'there is no driver file in /usr/share/vulkan/icd.d or /etc/vulkan/icd.d';
  return `the Vulkan loader is there, but no ${what}: ${found}`;
}

/** Whether the dynamic loader finds a library. If it does, the error says that the library is not an addon of Node. */
export function hasLibrary(name: string): boolean {
  try {
    process.dlopen({ exports: {} }, name);
    return true;
  } catch (error) {
    return !String(error).includes('cannot open shared object file');
  }
}

async function vulkanDrivers(): Promise<string[]> {
  const folders = ['/usr/share/vulkan/icd.d', '/etc/vulkan/icd.d'];
  const files = await Promise.all(folders.map((folder) => readdir(folder).catch(() => [])));
  return files.flat();
}
