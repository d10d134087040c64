import { readFile } from 'node:fs/promises';
import { readConfig } from '@alphaflops/config';
import type { Model } from '@alphaflops/contracts';
import type { ConvSpec } from '@alphaflops/conv';
import { ExecutorError } from '@alphaflops/executor';
import { LabelProcess } from '@alphaflops/executor-cudnn/label-kernels';
import { CliError } from '../../error.js';

export interface CudnnOptions {
  /** Device properties for which cuDNN on this machine chooses kernels. */
  cudnn?: string;
  libraryPath?: string;
}

/** Folders in which the search for cuDNN begins. */
export function librariesOf({ libraryPath }: Pick<CudnnOptions, 'libraryPath'>): string[] {
  const named = libraryPath?.split(':').filter((folder) => folder !== '');
  return [...(named ?? readConfig().libraryPath)];
}

export function readDeviceProperties(path: string): Promise<string> {
  return readFile(path, 'utf8').catch((error: unknown) => {
    throw new CliError('bad-input', `${path} cannot be read: ${(error as Error).message}`);
  });
}

/**
 * cuDNN of this machine, if it is the one that chose the kernels of the model. Null if it is another one or cannot be
 * used. Then the function prints the reason, and the classifier of the model is used.
 */
export async function localCudnn({ kernels }: Model, options: CudnnOptions): Promise<LabelProcess | null> {
  if (options.cudnn === undefined) return null;
  const key = kernels?.key;
  const instead = (why: string): null => {
    console.error(`Kernels do not come from cuDNN: ${why}`);
    return null;
  };
  if (!kernels) return instead('the model has no kernels.');
  if (!key) return instead('the model does not name the cuDNN that chose its kernels (fit --cudnn).');
  const deviceProperties = await readDeviceProperties(options.cudnn);
  let cudnnProcess: LabelProcess;
  try {
    cudnnProcess = await LabelProcess.start({
      deviceProperties,
      tf32: key.mathMode === 'tf32',
      padding: 'cudnn',
      libraryPath: librariesOf(options),
    });
  } catch (error) {
    if (error instanceof ExecutorError) return instead(error.message);
    throw error;
  }
  const { cudnn, computeCapability } = cudnnProcess;
  if (cudnn === key.cudnnVersion && computeCapability === key.computeCapability) return cudnnProcess;
  cudnnProcess.close();
  return instead(
    `the kernels of the model were chosen by cuDNN ${key.cudnnVersion} for compute capability ${key.computeCapability}; ` +
      `this machine has cuDNN ${cudnn}, used for ${computeCapability}.`,
  );
}

/** Each item with the kernel that cuDNN runs; null if cuDNN is not used or has no kernel. */
export async function* withKernels<T extends { readonly spec: ConvSpec }>(
  items: AsyncIterable<T>,
  cudnnProcess: LabelProcess | null,
): AsyncGenerator<readonly [T, string | null]> {
  if (cudnnProcess === null) {
    for await (const item of items) yield [item, null];
    return;
  }
  const waiting: T[] = [];
  const specs = async function* (): AsyncGenerator<ConvSpec> {
    for await (const item of items) {
      waiting.push(item);
      yield item.spec;
    }
  };
  for await (const { kernel } of cudnnProcess.label(specs())) {
    const item = waiting.shift();
    if (item !== undefined) yield [item, kernel];
  }
}
