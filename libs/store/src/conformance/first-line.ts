import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

/**
 * Returns the first line that a child process writes to its standard output, which must be a pipe.
 * @throws Error when the child ends before it writes a line. The message contains the standard error of the child, if
 * that is a pipe
 */
export async function firstLine(child: ChildProcess): Promise<string> {
  if (child.stdout === null) throw new Error('the standard output of the child is not a pipe');
  let words = '';
  child.stderr?.on('data', (piece: Buffer) => (words += piece.toString()));
  const line = once(createInterface(child.stdout), 'line') as Promise<[string]>;
  // The event "close" comes after all output of the child was read.
  const ended = once(child, 'close').then(([code, signal]) => {
    throw new Error(`the child ended (${String(code ?? signal)}) before it wrote a line:\n${words}`);
  });
  const [text] = await Promise.race([line, ended]);
  return text;
}
