import { readFile } from 'node:fs/promises';
import { readConfig } from '@alphaflops/config';
import type { Model } from '@alphaflops/contracts';
import type { ConvSpec } from '@alphaflops/conv';
import { ExecutorError } from '@alphaflops/executor';
import { LabelProcess } from '@alphaflops/executor-cudnn/label-kernels';
import { CliError } from '../../error.js';

export interface CudnnOptions {
  /** Device properties that cuDNN on this machine is asked for. */
  cudnn?: string;
  libraryPath?: string;
}

/** Folders in which cuDNN is looked for first. */
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
 * cuDNN of this machine, where it is the one by which the kernels of the model were chosen. Null where it is not, or cannot
 * be asked: says why, and the classifier of the model serves.
 */
export async function askedCudnn({ kernels }: Model, options: CudnnOptions): Promise<LabelProcess | null> {
  if (options.cudnn === undefined) return null;
  const key = kernels?.key;
  const instead = (why: string): null => {
    console.error(`Kernels do not come from cuDNN: ${why}`);
    return null;
  };
  if (!kernels) return instead('the model does not know kernels.');
  if (!key) return instead('the model does not say by which cuDNN its kernels were chosen (fit --cudnn).');
  const deviceProperties = await readDeviceProperties(options.cudnn);
  let asked: LabelProcess;
  try {
    asked = await LabelProcess.start({
      deviceProperties,
      tf32: key.mathMode === 'tf32',
      padding: 'cudnn',
      libraryPath: librariesOf(options),
    });
  } catch (error) {
    if (error instanceof ExecutorError) return instead(error.message);
    throw error;
  }
  const { cudnn, computeCapability } = asked;
  if (cudnn === key.cudnnVersion && computeCapability === key.computeCapability) return asked;
  asked.close();
  return instead(
    `the kernels of the model were chosen by cuDNN ${key.cudnnVersion} for compute capability ${key.computeCapability}; ` +
      `here is cuDNN ${cudnn}, asked for ${computeCapability}.`,
  );
}

/** Each item with the kernel that cuDNN runs; null where nobody is asked, or cuDNN has none. */
export async function* withKernels<T extends { readonly spec: ConvSpec }>(
  items: AsyncIterable<T>,
  asked: LabelProcess | null,
): AsyncGenerator<readonly [T, string | null]> {
  if (asked === null) {
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
  for await (const { kernel } of asked.label(specs())) {
    const item = waiting.shift();
    if (item !== undefined) yield [item, kernel];
  }
}
