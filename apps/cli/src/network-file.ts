import { closeSync, existsSync, fstatSync, openSync, readSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import {
  type ByteSource,
  bytesSource,
  checkSize,
  type Network,
  NetworkError,
  readNetwork,
  type ReadOptions,
} from '@alphaflops/networks';
import { CliError } from './error.js';
import { inputName, readBytes, STANDARD, unreadableFile } from './files.js';

/** Sizes of one input; without a name, of the first one. */
export interface InputSizes {
  readonly name: string | null;
  readonly sizes: readonly number[];
}

/**
 * Reads a network file without loading it: only the parts that are needed.
 *
 * @throws CliError `bad-input` for a file that cannot be opened or is not a network
 */
export async function networkFrom(
  path: string,
  { batch, input = [] }: { batch?: number; input?: readonly InputSizes[] },
): Promise<Network> {
  const opened: number[] = [];
  try {
    const first = input.find(({ name }) => name === null);
    const named = input.flatMap(({ name, sizes }) => (name === null ? [] : [[name, sizes] as const]));
    const options: ReadOptions = {
      ...(batch !== undefined && { batch }),
      ...(first !== undefined && { inputShape: first.sizes }),
      inputs: Object.fromEntries(named),
      ...(path !== STANDARD && { fileBeside: (name) => fileBeside(path, name, opened) }),
    };
    return readNetwork(await source(path, opened), options);
  } catch (error) {
    if (!(error instanceof NetworkError)) throw error;
    const hint = error.code === 'unknown-size' ? ' (--input)' : '';
    throw new CliError('bad-input', `${inputName(path)}: ${error.message}${hint}`, { cause: error });
  } finally {
    for (const file of opened) closeSync(file);
  }
}

async function source(path: string, opened: number[]): Promise<ByteSource> {
  if (path === STANDARD) return bytesSource(await readBytes(path));
  refuseFolder(path);
  try {
    const file = fileSource(path, opened);
    // A pipe has no size: it can only be read from its start to its end.
    return file ?? bytesSource(await readBytes(path));
  } catch (error) {
    throw unreadableFile(path, error);
  }
}

/** null for what is not a regular file. */
function fileSource(path: string, opened: number[]): ByteSource | null {
  if (!statSync(path).isFile()) return null;
  const file = openSync(path, 'r');
  opened.push(file);
  const { size } = fstatSync(file);
  checkSize(size);
  return {
    size,
    read: (start, end) => {
      const bytes = new Uint8Array(end - start);
      let filled = 0;
      while (filled < bytes.length) {
        const count = readSync(file, bytes, filled, bytes.length - filled, start + filled);
        if (count === 0) break;
        filled += count;
      }
      return bytes.subarray(0, filled);
    },
  };
}

/** A weight file in the folder of the model; nothing outside of it. */
function fileBeside(path: string, name: string, opened: number[]): ByteSource | null {
  if (basename(name) !== name) return null;
  const beside = join(dirname(path), name);
  return existsSync(beside) ? fileSource(beside, opened) : null;
}

/** Formats that are folders. */
function refuseFolder(path: string): void {
  if (!existsSync(path) || !statSync(path).isDirectory()) return;
  const advice = existsSync(join(path, 'saved_model.pb'))
    ? 'This is a TensorFlow SavedModel. alphaflops cannot read this format. Convert it to ONNX with ' +
      '"python3 -m tf2onnx.convert --saved-model", or to a TensorFlow.js graph model with tensorflowjs_converter.'
    : path.replace(/\/+$/, '').endsWith('.mlpackage')
      ? 'This is a Core ML package. alphaflops cannot read this format. Use the PyTorch, TensorFlow or ONNX model ' +
        'that it was created from.'
      : existsSync(join(path, 'model.json'))
        ? 'This is a folder. Give the model.json in it.'
        : 'This is a folder, not a network file.';
  throw new CliError('bad-input', `${path}: ${advice}`);
}
