import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { collect, firstLine } from '@alphaflops/store/conformance';
import { openSqliteStores } from './index.js';

/** Real processes on one file. The children run the build. */
const LIBRARY = join(import.meta.dirname, '..');
const BATCH_SIZE = 40;

type Child = ChildProcessByStdio<Writable, Readable, Readable>;

interface Answer {
  opened?: boolean;
  code?: string;
  message?: string;
}

describe('processes on one file', () => {
  let directory: string;
  let file: string;
  const children: Child[] = [];

  const start = (script: string, args: string[]) => {
    const child = spawn(process.execPath, [join(LIBRARY, 'test', script), ...args], {
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    child.stderr.on('data', (piece: Buffer) => process.stderr.write(piece));
    children.push(child);
    return child;
  };
  const kill = async (child: Child) => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    child.kill('SIGKILL');
    await gone;
  };
  const hold = async (uid?: number): Promise<{ child: Child; answer: Answer }> => {
    const child = start('hold.mjs', [file, ...(uid === undefined ? [] : [String(uid)])]);
    return { child, answer: JSON.parse(await firstLine(child)) as Answer };
  };

  beforeAll(() => {
    if (!existsSync(join(LIBRARY, 'dist', 'index.js'))) {
      throw new Error('The children of this test run the build: run “npm run build” first.');
    }
  });
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'store-sqlite-processes-'));
    file = join(directory, 'data.sqlite');
  });
  afterEach(async () => {
    for (const child of children.splice(0)) await kill(child);
    rmSync(directory, { recursive: true });
  });

  it('refuses the second process and names the first', async () => {
    const { child, answer } = await hold();
    expect(answer).toEqual({ opened: true });
    await expect(openSqliteStores(file)).rejects.toMatchObject({
      name: 'StoreError',
      code: 'in-use',
      message: expect.stringMatching(
        new RegExp(`in use by process ${String(child.pid)}\\..*kill ${String(child.pid)}`),
      ) as string,
    });
    const stores = openSqliteStores(join(directory, 'another.sqlite'));
    await (await stores).close();
  });

  it('refuses a child while this process holds the file', async () => {
    const stores = await openSqliteStores(file);
    const { answer } = await hold();
    expect(answer).toMatchObject({ code: 'in-use' });
    expect(answer.message).toContain(`process ${process.pid}`);
    await stores.ping();
    await stores.close();
    expect((await hold()).answer).toEqual({ opened: true });
  });

  it('opens at once after the holder was killed, also when another process has the same pid', async () => {
    const { child } = await hold();
    await kill(child);
    // Simulates a running process with the same pid. Only the lock counts, not the pid in the file.
    writeFileSync(`${file}.lock.pid`, `${process.ppid}\n`);
    const stores = await openSqliteStores(file);
    await expect(stores.ping()).resolves.toBeUndefined();
    await stores.close();
  });

  it('opens at once after the holder closed', async () => {
    const { child } = await hold();
    const gone = once(child, 'exit');
    child.stdin.end();
    expect(await gone).toEqual([0, null]);
    await (await openSqliteStores(file)).close();
    expect(existsSync(`${file}.lock.pid`)).toBe(false);
  });

  it('reports a directory without write permission', async () => {
    chmodSync(directory, 0o555);
    // Root may write anywhere, so the child changes its user after it has loaded its program.
    const { answer } = await hold(process.getuid?.() === 0 ? 65_534 : undefined);
    expect(answer.code).toBe('unavailable');
    expect(answer.message).toMatch(/data\.sqlite.*EACCES.*this user can write to it/);
    chmodSync(directory, 0o700);
  });

  it('loses no confirmed batch and keeps no partial batch when it is killed at any moment', async () => {
    const random = seededRandom(20260301);
    const confirmed = new Set<number>();
    let next = 0;
    for (let round = 0; round < 6; round++) {
      const child = start('record-loop.mjs', [file, String(next), String(BATCH_SIZE)]);
      const batchesFirst = 1 + Math.floor(random() * 20);
      let heard = 0;
      for await (const line of createInterface(child.stdout)) {
        confirmed.add(Number(line));
        heard += 1;
        if (heard === batchesFirst) {
          await delay(random() * 15);
          child.kill('SIGKILL');
        }
      }
      await kill(child);
      expect(heard).toBeGreaterThanOrEqual(batchesFirst);

      const stores = await openSqliteStores(file);
      const stored = await collect(stores.samples.batchCounts('campaign-a'));
      const counts = await stores.samples.counts('campaign-a');
      const streamed = new Map<number, number>();
      for await (const sample of stores.samples.stream({})) {
        streamed.set(sample.batchIndex, (streamed.get(sample.batchIndex) ?? 0) + 1);
      }
      await stores.close();
      expect([...streamed.keys()]).toEqual(expect.arrayContaining([...confirmed]));
      expect(new Set(streamed.values())).toEqual(new Set([BATCH_SIZE]));
      expect(new Map(stored.map((b) => [b.batchIndex, b.recorded]))).toEqual(streamed);
      expect(counts.ok).toBe(streamed.size * BATCH_SIZE);
      // Each kill can leave at most one committed batch without a confirmation.
      expect(streamed.size - confirmed.size).toBeLessThanOrEqual(round + 1);
      next = Math.max(...streamed.keys()) + 1;
    }
  }, 60_000);
});

/** mulberry32. */
function seededRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}
