import { readdirSync, readFileSync } from 'node:fs';

/** One process, distinguished from a later one with the same id. */
export interface ProcessIdentity {
  pid: number;
  startedAt: string;
}

/** Processes whose parent is `pid`, from /proc. */
export function childrenOf(pid: number): ProcessIdentity[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((name) => statOf(Number(name)))
    .filter((stat) => stat?.parent === pid)
    .map((stat) => ({ pid: stat?.pid ?? 0, startedAt: stat?.startedAt ?? '' }));
}

export function isRunning({ pid, startedAt }: ProcessIdentity): boolean {
  const stat = statOf(pid);
  return stat !== null && stat.startedAt === startedAt && stat.state !== 'Z';
}

/** Fields of /proc/PID/stat, see proc(5). The name of the program, in brackets, may contain any text. */
function statOf(pid: number) {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const [state = '', parent = '', ...rest] = text.slice(text.lastIndexOf(')') + 2).split(' ');
    return { pid, state, parent: Number(parent), startedAt: rest[17] ?? '' };
  } catch {
    return null;
  }
}
