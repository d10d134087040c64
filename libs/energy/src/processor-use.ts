import { join } from 'node:path';
import { kernelEntries, kernelText } from './kernel-files.js';

/** Linux counts processor time for programs in hundredths of a second on all platforms (proc(5), USER_HZ). */
const MS_PER_TICK = 10;

/**
 * Processor time in ms that all programs have used so far, except one and its descendants. The source is /proc/stat and
 * /proc/PID/stat (proc(5)). Null if these files are missing.
 */
export function otherProcessorMs(root: string, pid: number): number | null {
  const all = busyTicks(kernelText(join(root, 'proc/stat')));
  const own = treeTicks(root, pid);
  return all === null || own === null ? null : Math.max(0, all - own) * MS_PER_TICK;
}

/** user, nice, system, irq, softirq and steal of all processors. `user` includes the time of guests. */
function busyTicks(stat: string | null): number | null {
  const fields = /^cpu +(.*)$/m
    .exec(stat ?? '')?.[1]
    ?.split(' ')
    .map(Number);
  if (fields === undefined || fields.length < 4 || fields.some(Number.isNaN)) return null;
  const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0, steal = 0] = fields;
  return user + nice + system + irq + softirq + steal;
}

interface ProcessTime {
  readonly parent: number;
  readonly ticks: number;
}

function treeTicks(root: string, pid: number): number | null {
  const folder = join(root, 'proc');
  const processes = new Map<number, ProcessTime>();
  for (const name of kernelEntries(folder)) {
    if (!/^\d+$/.test(name)) continue;
    const time = processTime(kernelText(join(folder, name, 'stat')));
    if (time !== null) processes.set(Number(name), time);
  }
  if (!processes.has(pid)) return null;
  const isOwn = (id: number, depth = 0): boolean =>
    id === pid || (depth < 64 && processes.has(id) && isOwn(processes.get(id)?.parent ?? 0, depth + 1));
  let ticks = 0;
  for (const [id, time] of processes) if (isOwn(id)) ticks += time.ticks;
  return ticks;
}

/** The name of a program, in brackets, may contain any character. Fields are counted after it. */
function processTime(stat: string | null): ProcessTime | null {
  if (stat === null) return null;
  const fields = stat
    .slice(stat.lastIndexOf(')') + 2)
    .split(' ')
    .map(Number);
  // From field 3 on: 4 is the parent, 14 to 17 are utime, stime and the same two times of ended children.
  const [parent, ...ticks] = [fields[1], fields[11], fields[12], fields[13], fields[14]];
  if (parent === undefined || ticks.some((value) => value === undefined || Number.isNaN(value))) return null;
  return { parent, ticks: ticks.reduce<number>((sum, value) => sum + (value ?? 0), 0) };
}
