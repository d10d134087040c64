import { ExecutorError } from '@alphaflops/executor';
import * as tf from '@tensorflow/tfjs-core';
import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import { TIMER } from './processor-timer.js';

export const BACKENDS = ['wasm', 'cpu'] as const;
export type BackendName = (typeof BACKENDS)[number];

/** A TensorFlow.js backend that is active in this process. */
export interface Backend {
  readonly name: BackendName;
  /** Names and versions of what computes, and how it was built. */
  readonly libraries: Readonly<Record<string, string>>;
  /** Whether these blocks of memory can be had at the same time. Nothing stays allocated. */
  canAllocate(blocksBytes: readonly number[]): boolean;
  /** Throws when the tensor was created without memory: the library does not notice, and has overwritten its heap. */
  assertAllocated(tensor: tf.Tensor): void;
}

/** TensorFlow.js has one active backend in a process; changing it under living tensors moves them. */
let active: Promise<Backend> | null = null;
let activeName: BackendName | null = null;

/** Activates a backend, once. Throws `ExecutorError('start-failed')` when it is unusable or another one is active. */
export async function activate(name: BackendName): Promise<Backend> {
  if (activeName !== null && activeName !== name) {
    throw new ExecutorError(
      'start-failed',
      `this process already runs tfjs-${activeName}: TensorFlow.js has one backend in a process`,
    );
  }
  activeName = name;
  active ??= name === 'wasm' ? activateWasm() : activateCpu();
  return await active;
}

const WASM_ADDRESS_BYTES = 2 ** 32;

/**
 * Must be free besides what a convolution is known to need, because running out later is not an error but corrupts the
 * heap: the library takes malloc's 0 for an address.
 */
const WASM_MARGIN_BYTES = 2 ** 28;

/** The part of the Emscripten module that is needed, and that TensorFlow.js does not declare. */
interface WasmHeap {
  /** 0 when there is no room. */
  _malloc(bytes: number): number;
  _free(address: number): void;
}

async function activateWasm(): Promise<Backend> {
  const wasm = await import('@tensorflow/tfjs-backend-wasm');
  const packageJson = createRequire(import.meta.url).resolve('@tensorflow/tfjs-backend-wasm/package.json');
  // The trailing slash matters: the file name is appended as it is.
  wasm.setWasmPaths(`${dirname(packageJson)}/wasm-out/`);
  wasm.setThreadsCount(1);
  await setBackend('wasm');
  const hasSimd = await tf.env().getAsync('WASM_HAS_SIMD_SUPPORT');
  const backend = tf.backend() as InstanceType<typeof wasm.BackendWasm>;
  const { wasm: heap } = backend as unknown as { wasm: WasmHeap };
  return {
    name: 'wasm',
    libraries: {
      ...commonLibraries(),
      'tfjs-backend-wasm': wasm.version_wasm,
      'wasm-build': hasSimd === true ? 'simd, 1 thread' : 'no simd, 1 thread',
    },
    canAllocate(blocksBytes) {
      // malloc takes its argument modulo 2^32, so more than that must not reach it; and it promises memory that the
      // machine has not.
      const blocks = [...blocksBytes, WASM_MARGIN_BYTES];
      if (sum(blocks) >= Math.min(WASM_ADDRESS_BYTES, process.availableMemory())) return false;
      const addresses = blocks.map((bytes) => heap._malloc(bytes));
      for (const address of addresses) heap._free(address);
      return addresses.every((address) => address !== 0);
    },
    assertAllocated(tensor) {
      if (backend.getMemoryOffset(tensor.dataId) === 0) {
        throw new Error('the WebAssembly memory ran out unexpectedly, and its contents are lost');
      }
    },
  };
}

async function activateCpu(): Promise<Backend> {
  const cpu = await import('@tensorflow/tfjs-backend-cpu');
  await setBackend('cpu');
  return {
    name: 'cpu',
    libraries: { ...commonLibraries(), 'tfjs-backend-cpu': cpu.version_cpu },
    canAllocate: (blocksBytes) => sum(blocksBytes) < process.availableMemory(),
    assertAllocated: () => undefined, // JavaScript throws a RangeError.
  };
}

/**
 * Everything that makes times comparable. Neither backend has another memory layout than NHWC: specs with layout NCHW
 * are run in it too.
 */
function commonLibraries(): Record<string, string> {
  const v8 = process.versions.v8.split('.').slice(0, 2).join('.');
  return { 'tfjs-core': tf.version_core, v8, 'memory-layout': 'NHWC', timer: TIMER.name };
}

async function setBackend(name: BackendName): Promise<void> {
  if (!(await tf.setBackend(name))) {
    throw new ExecutorError('start-failed', `TensorFlow.js could not start its backend "${name}"`);
  }
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
