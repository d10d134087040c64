import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { Benchmark } from './benchmark.js';
import { interleave } from './figures.js';
import { fill, PART } from './filled-store.js';
import type { SideReport } from './parquet-side.js';

/** The maximum memory of an export of any size, in addition to the memory that Node itself needs. */
const MAX_MB = 1_000;

/** From the store to a Parquet file, against the same rows in memory to the same file. */
export const parquet: Benchmark = {
  what: 'export of many samples (SQLite) to Parquet, and its memory',
  run: async (scale) => {
    const samples = scale === 'full' ? 1_000_000 : PART;
    const directory = await mkdtemp(join(tmpdir(), 'alphaflops-bench-'));
    const store = join(directory, 'store.sqlite');
    const peaksMb: number[] = [];
    const side = (name: string) => async () => {
      const { seconds, peakMb } = await report([name, store, join(directory, 'samples.parquet')]);
      if (name === 'ours') peaksMb.push(peakMb);
      return seconds;
    };
    try {
      await fill(`sqlite:${store}`, samples);
      const figures = await interleave(1, { ours: side('ours'), theirs: side('theirs') });
      const what = `export of ${samples.toLocaleString('en')} samples (SQLite) to Parquet`;
      return [
        {
          what,
          comparedWith: 'hyparquet-writer on the same rows in memory',
          unit: 's',
          ...figures,
          ...{ judge: 'ratio', must: 2, goal: 1.2 },
          note: 'both with the columns and row groups of the export.',
        },
        {
          what: 'memory of that export at its most',
          comparedWith: null,
          unit: 'MB',
          ours: peaksMb,
          theirs: [],
          ...{ judge: 'ours', must: MAX_MB, goal: null },
        },
      ];
    } finally {
      await rm(directory, { recursive: true });
    }
  },
};

async function report(args: string[]): Promise<SideReport> {
  const child = fork(resolve(import.meta.dirname, 'parquet-side.ts'), args, {
    execArgv: [...process.execArgv, '--max-old-space-size=8192'],
  });
  const ended = once(child, 'exit').then(() => Promise.reject(new Error(`${args.join(' ')} ended`)));
  ended.catch(() => undefined);
  const [message] = (await Promise.race([once(child, 'message'), ended])) as [SideReport];
  return message;
}
