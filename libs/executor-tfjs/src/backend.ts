import { ExecutorError } from '@alphaflops/executor';
import { F32_TOLERANCE } from '@alphaflops/measure';
import * as tf from '@tensorflow/tfjs-core';
import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import type { Backend, BackendName } from './backend-type.js';
import { commonLibraries } from './libraries.js';
import { activateNode, type NodeSettings } from './node/node-backend.js';
import { claimProcess } from './one-backend.js';
import { TIMER } from './processor-timer.js';

let active: Promise<Backend> | null = null;

/** Activates a backend, once. Throws `ExecutorError('start-failed')` when it is unusable or another backend is active. */
export async function activate(name: BackendName, settings: NodeSettings = {}): Promise<Backend> {
  claimProcess(`tfjs-${name}`);
  active ??= start(name, settings);
  return await active;
}

function start(name: BackendName, settings: NodeSettings): Promise<Backend> {
  switch (name) {
    case 'wasm':
      return activateWasm();
    case 'cpu':
      return activateCpu();
    case 'node':
      return activateNode(settings);
  }
}

const WASM_ADDRESS_BYTES = 2 ** 32;

/**
 * Free memory that must remain in addition to the known memory of a convolution. If memory is short later, the library reports
 * no error and corrupts the heap, because it uses malloc's 0 as an address.
 */
const WASM_MARGIN_BYTES = 2 ** 28;

/** The needed part of the Emscripten module, which TensorFlow.js does not declare. */
interface WasmHeap {
  /** 0 if there is not enough memory. */
  _malloc(bytes: number): number;
  _free(address: number): void;
}

/**
 * V8 first compiles a WebAssembly function quickly, and optimises it later, when it is used. So the first shapes of a process
 * would run in slow code (2.8 times the time), or at the same time as the compiler, whose processor time counts as theirs.
 * With these flags, V8 optimises every function at its first call, which is in the warm-up.
 */
const OPTIMISED_AT_ONCE = [
  '--no-liftoff',
  '--no-wasm-tier-up',
  // Optimised code that may fall back to the quick one needs counts of calls from it: V8 of Node 26 aborts without them.
  // V8 has the flag since Node 24, and warns about an unknown flag.
  ...(Number.parseInt(process.versions.v8) >= 13 ? ['--no-wasm-deopt'] : []),
];

async function activateWasm(): Promise<Backend> {
  for (const flag of OPTIMISED_AT_ONCE) setFlagsFromString(flag);
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
    tf,
    libraries: {
      ...commonLibraries(tf.version_core, TIMER.name),
      'tfjs-backend-wasm': wasm.version_wasm,
      'wasm-build': hasSimd === true ? 'simd, 1 thread' : 'no simd, 1 thread',
    },
    canAllocate(blocksBytes) {
      // malloc uses its argument modulo 2^32, so that a larger one must not reach it. It also returns memory that the
      // machine does not have.
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
    tolerance: F32_TOLERANCE,
    timeMs: timeCallsMs,
  };
}

async function activateCpu(): Promise<Backend> {
  const cpu = await import('@tensorflow/tfjs-backend-cpu');
  await setBackend('cpu');
  return {
    name: 'cpu',
    tf,
    libraries: { ...commonLibraries(tf.version_core, TIMER.name), 'tfjs-backend-cpu': cpu.version_cpu },
    canAllocate: (blocksBytes) => sum(blocksBytes) < process.availableMemory(),
    assertAllocated: () => undefined, // JavaScript throws a RangeError.
    tolerance: F32_TOLERANCE,
    timeMs: timeCallsMs,
  };
}

/** These backends compute before they return, so that nothing has to be read back. */
function timeCallsMs(run: () => tf.Tensor4D, count: number): number {
  return TIMER.timeMs(() => {
    for (let i = 0; i < count; i++) run().dispose();
  });
}

async function setBackend(name: BackendName): Promise<void> {
  if (!(await tf.setBackend(name))) {
    throw new ExecutorError('start-failed', `TensorFlow.js could not start its backend "${name}"`);
  }
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
