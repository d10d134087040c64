import { existsSync } from 'node:fs';
import { join } from 'node:path';
import koffi, { type LibraryHandle } from 'koffi';

/** CUDA's compiler and cuDNN's heuristics need a stack as large as that of a main thread. */
const STACK_BYTES = 8 << 20;

// This must be set before the first library is opened, and once for the whole process.
if (koffi.config().sync_stack_size !== STACK_BYTES) koffi.config({ sync_stack_size: STACK_BYTES });

/** A C function. Pointers and handles are bigint, and buffers are typed arrays. */
export type NativeCall = (...args: (number | bigint | string | ArrayBufferView | null)[]) => number;

/** An opened shared library. */
export class Library {
  private constructor(
    readonly path: string,
    private readonly handle: LibraryHandle,
  ) {}

  /** Throws the loader's error. */
  static open(path: string): Library {
    return new Library(path, koffi.load(path));
  }

  /** Opens the library with this name from the first of the folders that has it. Otherwise the loader searches for it. */
  static find(name: string, folders: readonly string[]): Library {
    return Library.open(folders.map((folder) => join(folder, name)).find((path) => existsSync(path)) ?? name);
  }

  /**
   * A function by its C prototype. Throws when the library has no function with that name. Arguments to which a function
   * writes are declared `void *` and passed as typed arrays of the right size.
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

  /** A function that writes the address of the text for a status code. */
  bindTextOut(name: string): (status: number) => string {
    const call = this.handle.func(`int ${name}(int status, _Out_ const char **text)`);
    return (status) => {
      const out: [string | null] = [null];
      call(status, out);
      return out[0] ?? `status ${status}`;
    };
  }

  /** A function that returns the text for a status code. */
  bindText(name: string): (status: number) => string {
    return this.handle.func(`const char *${name}(int status)`);
  }
}

/** The text in a buffer, up to its first zero. */
export function textIn(buffer: Buffer): string {
  const end = buffer.indexOf(0);
  return buffer.toString('utf8', 0, end === -1 ? buffer.length : end);
}
