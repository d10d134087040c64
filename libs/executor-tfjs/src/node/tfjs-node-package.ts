import { errorText } from '@alphaflops/contracts';
import { ExecutorError } from '@alphaflops/executor';
import type * as tf from '@tensorflow/tfjs-core';
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';

export const TFJS_NODE_PACKAGES = {
  node: '@tensorflow/tfjs-node',
  'node-gpu': '@tensorflow/tfjs-node-gpu',
} as const;

/** TensorFlow.js with TensorFlow's own library as its backend. */
export interface TfjsNode {
  /** A complete TensorFlow.js. It is another copy than ours if the package is installed elsewhere. */
  readonly tf: typeof tf;
  /** Version of the npm package. */
  readonly version: string;
  /** Version of the library that the add-on is linked with. The npm package does not determine it. */
  readonly tensorflow: string;
  readonly isUsingGpu: boolean;
}

const SEE = 'docs/tfjs-node.md says how to build it';

/**
 * Loads an optional peer package, from the packages around this one or from those installed in `folder`.
 * `environment` is added to the environment of this process: TensorFlow reads its settings only there, and only once.
 * Throws `ExecutorError('start-failed')` that says what is missing and what to do.
 */
export function loadTfjsNode(
  name: keyof typeof TFJS_NODE_PACKAGES,
  folder: string | undefined,
  environment: Readonly<Record<string, string>>,
): TfjsNode {
  const packageName = TFJS_NODE_PACKAGES[name];
  const require = createRequire(
    folder === undefined ? import.meta.url : join(resolve(folder), 'package.json'),
  );
  if (!isInstalled(require, packageName)) {
    const where = folder === undefined ? 'not installed' : `not installed in ${folder}`;
    throw failed(`${packageName} is ${where}: it is optional, and ${SEE} and name its folder by --tfjs-node`);
  }
  restoreRemovedFunction(require);
  // eslint-disable-next-line no-restricted-properties -- written, not read
  Object.assign(process.env, environment);
  try {
    // Its declarations are only available if it is installed.
    const loaded = require(packageName) as typeof tf & { version: Record<string, string> };
    const { binding } = loaded.backend() as unknown as {
      binding: { TF_Version: string; isUsingGpuDevice(): boolean };
    };
    return {
      tf: loaded,
      version: loaded.version['tfjs-node'] ?? 'unknown',
      tensorflow: binding.TF_Version,
      isUsingGpu: binding.isUsingGpuDevice(),
    };
  } catch (error) {
    const [why = ''] = errorText(error).split('\n');
    throw failed(`${packageName} is installed, but its add-on cannot be loaded (${why.trim()}): ${SEE}`);
  }
}

/** Both packages call `util.isNullOrUndefined`, which Node 23 removed. */
function restoreRemovedFunction(require: NodeJS.Require): void {
  const util = require('node:util') as { isNullOrUndefined?: (value: unknown) => boolean };
  util.isNullOrUndefined ??= (value) => value === null || value === undefined;
}

function isInstalled(require: NodeJS.Require, packageName: string): boolean {
  try {
    require.resolve(`${packageName}/package.json`);
    return true;
  } catch {
    return false;
  }
}

function failed(message: string): ExecutorError {
  return new ExecutorError('start-failed', message);
}
