import { existsSync } from 'node:fs';
import { join } from 'node:path';
import koffi, { type LibraryHandle } from 'koffi';

/** CUDA's compiler and cuDNN's heuristics are used to the stack of a main thread. */
const STACK_BYTES = 8 << 20;

// To be said before the first library is opened, and once for the whole process.
if (koffi.config().sync_stack_size !== STACK_BYTES) koffi.config({ sync_stack_size: STACK_BYTES });

/** Arguments and result of a C function as they are passed. Pointers and handles are bigint, buffers typed arrays. */
export type NativeCall = (...args: (number | bigint | string | ArrayBufferView | null)[]) => number;

/** An opened shared library. */
export class Library {
  private constructor(
    readonly path: string,
    private readonly handle: LibraryHandle,
  ) {}

  /** Throws with the loader's own words. */
  static open(path: string): Library {
    return new Library(path, koffi.load(path));
  }

  /** Opens a library of this name in the first of the folders that has it, or else where the loader finds it. */
  static find(name: string, folders: readonly string[]): Library {
    return Library.open(folders.map((folder) => join(folder, name)).find((path) => existsSync(path)) ?? name);
  }

  /**
   * One function by its C prototype; throws when the library has none of that name. Everything that a function writes
   * to is declared `void *` and passed as a typed array of the right size.
   */
  bind(prototype: string): NativeCall {
    return this.handle.func(prototype);
  }

  /** Like `bind`, or null. */
  bindIfPresent(prototype: string): NativeCall | null {
    try {
      return this.bind(prototype);
    } catch {
      return null;
    }
  }

  /** A function that writes where the words for a status code are. */
  bindTextOut(name: string): (status: number) => string {
    const call = this.handle.func(`int ${name}(int status, _Out_ const char **text)`);
    return (status) => {
      const out: [string | null] = [null];
      call(status, out);
      return out[0] ?? `status ${status}`;
    };
  }

  /** A function from status codes to words. */
  bindText(name: string): (status: number) => string {
    return this.handle.func(`const char *${name}(int status)`);
  }
}

/** The text in a buffer, up to its first zero. */
export function textIn(buffer: Buffer): string {
  const end = buffer.indexOf(0);
  return buffer.toString('utf8', 0, end === -1 ? buffer.length : end);
}
