import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { connect, createServer, type Server } from 'node:net';
import { platform } from 'node:os';
import { text } from 'node:stream/consumers';
import type { DeviceDescription } from '@alphaflops/contracts';
import { WorkerError } from './error.js';

/** A holder that does not say who it is for so long is told of without its process id. */
const ANSWER_WITHIN_MS = 1_000;
/** A holder that ends between our two looks has left by then. */
const TRIES = 3;

/**
 * The sole right to measure on a device of this machine, so that two workers never time on one GPU. It is a socket in
 * Linux's abstract namespace: the kernel lets one process have the name, and frees it when that process is gone,
 * however it ended. Whoever connects is told the holder's process id. Containers with networks of their own do not see
 * each other's.
 */
export class GpuLock {
  private constructor(private readonly server: Server | null) {}

  /** @throws WorkerError `device-in-use` with the holder's process id */
  static async take(uuid: string): Promise<GpuLock> {
    // Other systems have no such names, and no GPUs that several workers are likely to share.
    if (platform() !== 'linux') return new GpuLock(null);
    const path = addressOf(uuid);
    for (let tries = 1; ; tries++) {
      const server = await listen(path);
      if (server !== null) return new GpuLock(server);
      const holder = await holderOf(path);
      if (holder === null && tries < TRIES) continue;
      const who = holder === null || holder === '' ? 'another process' : `process ${holder}`;
      throw new WorkerError(
        'device-in-use',
        `${uuid} is in use by ${who}, another worker of this machine: two would spoil each other’s times. ` +
          `Stop ${holder === null || holder === '' ? 'it' : `it (kill ${holder})`}, or show each worker other GPUs with CUDA_VISIBLE_DEVICES.`,
      );
    }
  }

  async close(): Promise<void> {
    if (this.server === null) return;
    this.server.close();
    await once(this.server, 'close');
  }
}

/**
 * Locks of all GPUs, all or none. Host processors are shared: an executor on one computes on one thread, is timed by
 * that thread's own time where the system tells it, and several workers on a machine of many cores are usual.
 */
export async function lockGpus(
  devices: readonly Pick<DeviceDescription, 'uuid' | 'kind'>[],
): Promise<GpuLock[]> {
  const locks: GpuLock[] = [];
  try {
    for (const uuid of new Set(devices.filter(({ kind }) => kind === 'gpu').map((device) => device.uuid))) {
      locks.push(await GpuLock.take(uuid));
    }
    return locks;
  } catch (error) {
    await Promise.all(locks.map((lock) => lock.close()));
    throw error;
  }
}

/** Abstract names start with NUL and have at most 107 bytes; uuids may be longer. */
function addressOf(uuid: string): string {
  return `\0alphaflops/device/${createHash('sha256').update(uuid).digest('hex')}`;
}

/** Null when somebody has the name. */
async function listen(path: string): Promise<Server | null> {
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.end(String(process.pid));
  });
  server.listen({ path, exclusive: true });
  try {
    await once(server, 'listening');
    // A lock keeps nobody running.
    return server.unref();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EADDRINUSE') return null;
    throw error;
  }
}

/** The holder's process id; empty when it does not say; null when there is none any more. */
async function holderOf(path: string): Promise<string | null> {
  const socket = connect({ path });
  socket.setTimeout(ANSWER_WITHIN_MS, () => socket.destroy());
  try {
    await once(socket, 'connect');
  } catch {
    return null;
  }
  const said = await text(socket).catch(() => '');
  return /^\d+$/.test(said) ? said : '';
}
