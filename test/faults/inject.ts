import { closeSync, openSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import type { Deployment, Link, Program, Role } from './deployment.js';
import type { Fits } from './fits.js';
import { childrenOf } from './processes.js';
import type { Fault } from './schedule.js';

const HOUR_S = 3_600;

/** Injects a fault. Resolves with its target when the cause of the fault is removed. */
export async function inject(deployment: Deployment, fits: Fits, fault: Fault): Promise<string> {
  const { kind, lastsMs, choice } = fault;
  switch (kind) {
    case 'executor-killed': {
      const worker = chosen(deployment, 'worker', choice);
      const executors = childrenOf(worker.running.child.pid ?? 0);
      const victim = executors[Math.floor(choice * 1_000) % Math.max(1, executors.length)];
      if (victim === undefined || !kill(victim.pid)) return 'no executor was running';
      return worker.name;
    }
    case 'worker-killed':
    case 'coordinator-killed': {
      const program = chosen(deployment, kind === 'worker-killed' ? 'worker' : 'coordinator', choice);
      await deployment.crash(program, lastsMs);
      return program.name;
    }
    case 'fitter-killed': {
      const inHand = await fits.askForOne();
      await deployment.crash(chosen(deployment, 'fitter', choice), lastsMs);
      return inHand;
    }
    case 'redis-killed':
      await deployment.stack.crashRedis(lastsMs);
      return 'Redis';
    case 'store-killed':
      return deployment.store.kill(lastsMs);
    case 'store-stopped':
      return deployment.store.stop(lastsMs);
    case 'worker-frozen': {
      const worker = chosen(deployment, 'worker', choice);
      const { child } = worker.running;
      child.kill('SIGSTOP');
      await setTimeout(lastsMs);
      child.kill('SIGCONT');
      return worker.name;
    }
    case 'clock-jumped': {
      const { programs } = deployment;
      const { name } = programs[Math.floor(choice * programs.length)] as Program;
      const offsetS = Math.round((choice * 7 - Math.floor(choice * 7) - 0.5) * 4 * HOUR_S);
      deployment.setClock(name, offsetS);
      await setTimeout(lastsMs);
      deployment.setClock(name, 0);
      return `${name} by ${offsetS} s, and back`;
    }
    case 'disk-full':
      await fillDisk(deployment.dataDirectory, lastsMs);
      return 'disk of the SQLite file';
    default: {
      const { name, proxy } = deployment.links[Math.floor(choice * deployment.links.length)] as Link;
      if (kind === 'network-refused') await proxy.refuse(lastsMs);
      if (kind === 'network-half-closed') proxy.halfClose(Math.floor(choice * 1_000) % 2 === 0 ? 0 : 1);
      if (kind === 'network-stalled') await proxy.stall(lastsMs);
      if (kind === 'network-swallowed') await proxy.swallow(lastsMs);
      return name;
    }
  }
}

/** The target of a fault. Two simultaneous faults on one target would disturb each other. */
export function subjectOf({ kind, choice }: Fault, deployment: Deployment): string {
  switch (kind) {
    case 'coordinator-killed':
      return chosen(deployment, 'coordinator', choice).name;
    case 'executor-killed':
    case 'worker-killed':
    case 'worker-frozen':
      return chosen(deployment, 'worker', choice).name;
    case 'fitter-killed':
      return 'fitter';
    case 'redis-killed':
    case 'disk-full':
      return kind;
    case 'store-killed':
    case 'store-stopped':
      return 'store';
    case 'clock-jumped':
      return 'clock';
    default:
      return `link ${Math.floor(choice * deployment.links.length)}`;
  }
}

function chosen(deployment: Deployment, role: Role, choice: number): Program {
  const programs = deployment.of(role);
  return programs[Math.floor(choice * programs.length)] as Program;
}

/** False when the process had just ended by itself. */
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
    // Also fill the last bytes, so that no page of the log fits.
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
