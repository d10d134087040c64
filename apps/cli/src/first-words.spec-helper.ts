import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';

/**
 * Waits until a child process has written a text.
 * @returns everything that it has written so far
 * @throws Error with everything that it wrote when it ends before that
 */
export function written(child: ChildProcess): (text: string) => Promise<string> {
  const streams = [child.stdout, child.stderr].filter((stream) => stream !== null);
  let output = '';
  for (const stream of streams) stream.on('data', (piece: Buffer) => (output += piece.toString()));
  return async (text) => {
    while (!output.includes(text)) {
      if (child.exitCode !== null || child.signalCode !== null)
        throw new Error(`the child ended before it wrote "${text}":\n${output}`);
      await Promise.race([...streams.map((stream) => once(stream, 'data')), once(child, 'close')]);
    }
    return output;
  };
}
