import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { connect, createServer, type Server } from 'node:net';
import { platform } from 'node:os';
import { text } from 'node:stream/consumers';
import type { WorkerError } from './error.js';

/** If the holder does not answer within this time, the error has no process id. */
const ANSWER_WITHIN_MS = 1_000;
/** A holder that ends between two checks has left by then. */
const TRIES = 3;

/**
 * A resource of this machine that only one process may have at a time. It is a socket in Linux's abstract namespace:
 * the kernel gives the name to one process, and frees it when that process ends for any reason. A process that connects
 * gets the holder's process id. Containers with separate networks do not see each other's names.
 */
export class MachineLock {
  private constructor(private readonly server: Server | null) {}

  /**
   * @param name of any length
   * @param refusal makes the error if another process has the resource; the process id is null if it does not answer
   * @throws WorkerError from `refusal`
   */
  static async take(name: string, refusal: (holderPid: number | null) => WorkerError): Promise<MachineLock> {
    // Other systems have no such names.
    if (platform() !== 'linux') return new MachineLock(null);
    const path = addressOf(name);
    for (let tries = 1; ; tries++) {
      const server = await listen(path);
      if (server !== null) return new MachineLock(server);
      const holder = await holderOf(path);
      if (holder === 'gone' && tries < TRIES) continue;
      throw refusal(typeof holder === 'number' ? holder : null);
    }
  }

  async close(): Promise<void> {
    if (this.server === null) return;
    this.server.close();
    await once(this.server, 'close');
  }
}

/** Abstract names start with NUL and have at most 107 bytes. */
function addressOf(name: string): string {
  return `\0alphaflops/${createHash('sha256').update(name).digest('hex')}`;
}

/** Null if another process has the name. */
async function listen(path: string): Promise<Server | null> {
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.end(String(process.pid));
  });
  server.listen({ path, exclusive: true });
  try {
    await once(server, 'listening');
    // A lock must not keep the process running.
    return server.unref();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EADDRINUSE') return null;
    throw error;
  }
}

/** The holder's process id, `silent` if it does not answer, or `gone`. */
async function holderOf(path: string): Promise<number | 'silent' | 'gone'> {
  const socket = connect({ path });
  socket.setTimeout(ANSWER_WITHIN_MS, () => socket.destroy());
  try {
    await once(socket, 'connect');
  } catch {
    return 'gone';
  }
  const answer = await text(socket).catch(() => '');
  return /^\d+$/.test(answer) ? Number(answer) : 'silent';
}
