import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

/**
 * First line that a child process writes to its standard output, which has to be a pipe.
 * @throws Error when the child ends before that, with what it wrote to its standard error if that is a pipe
 */
export async function firstLine(child: ChildProcess): Promise<string> {
  if (child.stdout === null) throw new Error('the standard output of the child is not a pipe');
  let words = '';
  child.stderr?.on('data', (piece: Buffer) => (words += piece.toString()));
  const line = once(createInterface(child.stdout), 'line') as Promise<[string]>;
  // "close" comes after everything that the child wrote was read.
  const ended = once(child, 'close').then(([code, signal]) => {
    throw new Error(`the child ended (${String(code ?? signal)}) before it wrote a line:\n${words}`);
  });
  const [text] = await Promise.race([line, ended]);
  return text;
}
