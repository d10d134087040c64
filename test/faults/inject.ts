import { closeSync, openSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import type { Deployment, SupervisedWorker } from './deployment.js';
import { childrenOf } from './processes.js';
import type { Fault } from './schedule.js';

const HOUR_S = 3_600;

/** Makes a fault happen and resolves when its cause is gone, with what it was done to. */
export async function inject(deployment: Deployment, { kind, lastsMs, choice }: Fault): Promise<string> {
  const workerIndex = Math.floor(choice * deployment.workers.length);
  const worker = deployment.workers[workerIndex] as SupervisedWorker;
  const link = Math.floor(choice * deployment.proxies.length);
  const proxy = deployment.proxies[link];
  const linkName = ['coordinator–Redis', 'workers–Redis', 'workers–coordinator'][link] ?? '';
  switch (kind) {
    case 'executor-killed': {
      const executors = childrenOf(worker.running.child.pid ?? 0);
      const victim = executors[Math.floor(choice * 1_000) % Math.max(1, executors.length)];
      if (victim === undefined || !kill(victim.pid)) return 'no executor was running';
      return worker.name;
    }
    case 'worker-killed':
      await deployment.crashWorker(workerIndex, lastsMs);
      return worker.name;
    case 'coordinator-killed':
      await deployment.crashCoordinator(lastsMs);
      return 'coordinator';
    case 'redis-killed':
      await deployment.stack.crashRedis(lastsMs);
      return 'Redis';
    case 'store-stopped':
      await deployment.lockStore(lastsMs);
      return 'SQLite file locked';
    case 'worker-frozen': {
      const { child } = worker.running;
      child.kill('SIGSTOP');
      await setTimeout(lastsMs);
      child.kill('SIGCONT');
      return worker.name;
    }
    case 'clock-jumped': {
      const name = choice < 1 / 3 ? 'coordinator' : worker.name;
      const offsetS = Math.round((choice * 7 - Math.floor(choice * 7) - 0.5) * 4 * HOUR_S);
      deployment.setClock(name, offsetS);
      await setTimeout(lastsMs);
      deployment.setClock(name, 0);
      return `${name} by ${offsetS} s, and back`;
    }
    case 'network-refused':
      await proxy?.refuse(lastsMs);
      return linkName;
    case 'network-half-closed':
      proxy?.halfClose(Math.floor(choice * 1_000) % 2 === 0 ? 0 : 1);
      return linkName;
    case 'network-stalled':
      await proxy?.stall(lastsMs);
      return linkName;
    case 'network-swallowed':
      await proxy?.swallow(lastsMs);
      return linkName;
    case 'disk-full':
      await fillDisk(deployment.dataDirectory, lastsMs);
      return 'disk of the SQLite file';
  }
}

/** What a fault takes hold of: two at once on the same would be neither. */
export function subjectOf({ kind, choice }: Fault, deployment: Deployment): string {
  switch (kind) {
    case 'coordinator-killed':
    case 'redis-killed':
    case 'store-stopped':
    case 'disk-full':
      return kind;
    case 'clock-jumped':
      return 'clock';
    case 'executor-killed':
    case 'worker-killed':
    case 'worker-frozen':
      return `worker ${Math.floor(choice * deployment.workers.length)}`;
    default:
      return `link ${Math.floor(choice * deployment.proxies.length)}`;
  }
}

/** False when it had just ended by itself. */
function kill(pid: number): boolean {
  try {
    return process.kill(pid, 'SIGKILL');
  } catch {
    return false;
  }
}

async function fillDisk(folder: string, ms: number): Promise<void> {
  const ballast = join(folder, 'ballast');
  const file = openSync(ballast, 'w');
  try {
    // The last bytes as well, so that not even a page of the log finds room.
    for (const piece of [Buffer.alloc(1 << 20), Buffer.alloc(1)]) {
      try {
        for (;;) writeSync(file, piece);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
      }
    }
    await setTimeout(ms);
  } finally {
    closeSync(file);
    rmSync(ballast);
  }
}
