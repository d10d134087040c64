import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { written } from './first-words.spec-helper.js';

const program = resolve(import.meta.dirname, '../bin/alphaflops.js');
const isBuilt = existsSync(resolve(import.meta.dirname, '../dist/main.js'));
const redisMissing = !(process.env['PATH'] ?? '')
  .split(':')
  .some((folder) => existsSync(join(folder, 'redis-server')));
const missing = [...(isBuilt ? [] : ['a build: npm run build']), ...(redisMissing ? ['redis-server'] : [])];

(missing.length === 0 ? describe : describe.skip)(
  `online commands (skipped without ${missing.join(', ')})`,
  () => {
    let directory: string;
    let stack: ChildProcess;

    interface Ran {
      exitCode: number;
      out: string;
      err: string;
    }

    function alphaflops(...args: string[]): Promise<Ran> {
      return new Promise((done) => {
        const all = [program, ...args, ...(args[1] === 'join' ? [] : ['--data-dir', directory])];
        const env = { ...process.env, ALPHAFLOPS_TEST_ADAPTER: '@alphaflops/executor/testing' };
        execFile(process.execPath, all, { cwd: directory, env }, (error, out, err) => {
          done({ exitCode: error === null ? 0 : Number(error.code), out, err });
        });
      });
    }

    async function parsed<T>(...args: string[]): Promise<T> {
      const { out, err } = await alphaflops(...args, '--json');
      expect(err).toBe('');
      return JSON.parse(out) as T;
    }

    /** Asks until the answer satisfies; the time limit is the test's own. */
    async function until<T>(ask: () => Promise<T>, satisfies: (answer: T) => boolean): Promise<T> {
      for (;;) {
        const answer = await ask();
        if (satisfies(answer)) return answer;
      }
    }

    beforeAll(async () => {
      directory = await mkdtemp(join(tmpdir(), 'alphaflops-online-'));
      stack = spawn(process.execPath, [program, 'up', '--port', '0', '--data-dir', directory]);
      await written(stack)('Ctrl-C stops it.');
      await until(
        () => parsed<{ presence: string }[]>('worker', 'list'),
        (workers) => workers[0]?.presence === 'online',
      );
    }, 60_000);
    afterAll(async () => {
      stack.kill('SIGTERM');
      await once(stack, 'exit');
      await rm(directory, { recursive: true });
    }, 60_000);

    it('measure a campaign, fit it, and predict with the published model', async () => {
      const watched = await alphaflops(
        ...['campaign', 'create', '--name', 'small', '--design', 'networklike', '--budget', '12', '--watch'],
        ...['--max-macs', '2e6', '--no-groups', '--protocol', 'quick-cpu', '--seed', '3'],
      );
      expect(watched).toMatchObject({ exitCode: 0, err: '' });
      expect(watched.out).toMatch(/12 convolutions planned[^]*12\/12[^]*The campaign is completed/);

      const [campaign] = await parsed<{ id: string; state: string; modelId: string }[]>('campaign', 'list');
      const { id = '', modelId = '' } = campaign ?? {};
      expect((await alphaflops('campaign', 'show', id)).out).toContain('12 of 12');
      expect((await alphaflops('campaign', 'watch', id)).exitCode).toBe(0);

      const { deviceClassId } = await parsed<{ deviceClassId: string }>('model', 'show', modelId);
      const layer = ['--spec', 'h14-w14-i16-o16-k3x3'];
      const online = await parsed<{ predictedMs: number }>(
        'predict',
        '--device-class',
        deviceClassId,
        ...layer,
      );
      await writeFile(
        join(directory, 'model.json'),
        (await alphaflops('model', 'show', modelId, '--json')).out,
      );
      const offline = await parsed<{ predictedMs: number }>('predict', '--model', 'model.json', ...layer);
      expect(offline).toEqual(online);
      expect((await alphaflops('model', 'card', modelId)).out).toContain(`# Model ${modelId}`);

      const lines = async (file: string) =>
        (await readFile(join(directory, file), 'utf8')).trimEnd().split('\n');
      await alphaflops('samples', 'export', '--campaign', id, '--format', 'jsonl', '--out', 'samples.jsonl');
      await alphaflops('samples', 'export', '--campaign', id, '--out', 'samples.csv');
      const all = (await lines('samples.jsonl')).map((line) => JSON.parse(line) as { outcome: string });
      expect(all).toHaveLength(12);
      // A busy machine may make some of them noisy; the CSV has the good ones, below its header.
      const good = all.filter(({ outcome }) => outcome === 'ok').length;
      const rows = await lines('samples.csv');
      expect(rows).toHaveLength(good + 1);

      // The same shapes in twice the time, and one that the campaign does not have.
      const [header = '', first = '', ...rest] = rows;
      const time = header.split(',').indexOf('time_ms');
      const twice = (row: string, size: string | null = null) =>
        row
          .split(',')
          .map((cell, at) => (at === time ? String(2 * Number(cell)) : at === 1 ? (size ?? cell) : cell))
          .join(',');
      const others = [header, twice(first, '777'), ...rest.map((row) => twice(row))];
      await writeFile(join(directory, 'twice.csv'), `${others.join('\n')}\n`);
      const compared = await parsed<{ ratios: object[]; worst: object[] }>(
        ...['campaign', 'compare', id, 'twice.csv', '--worst', '3'],
      );
      expect(compared.ratios[0]).toMatchObject({ kernels: 'all', shapes: good - 1, within10: 0 });
      expect(compared.ratios[0]).toMatchObject({ p10: 2, median: 2, p90: 2 });
      expect(compared.worst).toHaveLength(3);
      expect((await alphaflops('campaign', 'compare', id, id)).out).toMatch(
        /^all .* 1 +1 +1 +100 % +100 %$/m,
      );
      const fit = await alphaflops('model', 'fit', deviceClassId, '--form', 'alpha');
      expect(fit.out).toMatch(/Published \S+-v2\./);
    }, 120_000);

    it('report on a replication, and on a model', async () => {
      const created = await alphaflops(
        ...['campaign', 'create', '--name', 'again', '--design', 'replication-A', '--budget', '6', '--watch'],
        ...['--max-macs', '2e6', '--protocol', 'quick-cpu', '--json'],
      );
      // progress is on standard error
      const { id, modelId, progress } = JSON.parse(created.out) as Record<string, string>;
      expect(progress).toMatchObject({ state: 'completed', recordedSlots: 6 });
      const found = await parsed<{ experiments: object[]; curves: { name: string }[] }>(
        ...['report', '--replication', id ?? '', '--out', 'replication.html'],
      );
      expect(found.experiments).toContainEqual(expect.objectContaining({ id: 'A', planned: 27 }));
      expect(found.curves.at(-1)?.name).toBe(`model ${modelId ?? ''}`);
      expect(await readFile(join(directory, 'replication.html'), 'utf8')).toContain(
        'Replication on tfjs-wasm',
      );
      await alphaflops('report', '--model', modelId ?? '', '--out', 'model.html');
      expect(await readFile(join(directory, 'model.html'), 'utf8')).toContain('Median error by kernel');
      expect((await alphaflops('report', '--replication', 'no-such')).exitCode).toBe(2);
    }, 120_000);

    it('control workers, and make tokens that let machines join', async () => {
      const [worker] = await parsed<{ id: string }[]>('worker', 'list');
      const id = worker?.id ?? '';
      await alphaflops('worker', 'pause', id, '--reason', 'lunch');
      expect(await parsed('worker', 'list')).toMatchObject([
        { desiredState: 'paused', stateReason: 'lunch' },
      ]);
      await alphaflops('worker', 'resume', id);

      const made = await parsed<{ command: string; token: string }>('worker', 'token', '--label', 'rack=7');
      const [, url = ''] = / (http\S+)\/join\.sh \| sh -s -- \S+$/.exec(made.command) ?? [];
      const joined = await alphaflops(
        ...['worker', 'join', url, '--token', made.token],
        '--executor',
        'fake',
        '--credentials',
        join(directory, 'second.json'),
      );
      expect(joined.out).toMatch(/Enrolled as worker-/);
      const workers = await parsed<{ labels: Record<string, string> }[]>('worker', 'list');
      expect(workers.map(({ labels }) => labels)).toContainEqual({ rack: '7' });
      expect((await parsed<unknown[]>('device', 'list')).length).toBeGreaterThan(1);
    }, 60_000);

    it('report errors: 2 for a wrong request, 1 for a coordinator that does not answer', async () => {
      expect(await alphaflops('campaign', 'show', 'c-none')).toMatchObject({
        exitCode: 2,
        err: 'error: There is no campaign "c-none".\n',
      });
      expect((await alphaflops('campaign', 'compare', 'c-none', 'c-none')).err).toContain(
        'no campaign "c-none"',
      );
      await writeFile(
        join(directory, 'one.csv'),
        'height,width,cin,cout,kernel_h,kernel_w,time_ms\n1,1,1,1,1,1,1\n',
      );
      await writeFile(
        join(directory, 'other.csv'),
        'height,width,cin,cout,kernel_h,kernel_w,time_ms\n2,1,1,1,1,1,1\n',
      );
      const apart = await alphaflops('campaign', 'compare', 'one.csv', 'other.csv');
      expect(apart.exitCode).toBe(2);
      expect(apart.err).toContain('have no shape in common');
      const unknown = await alphaflops(
        ...['campaign', 'create', '--name', 'x', '--design', 'random', '--budget', '3', '--target', 'abacus'],
      );
      expect(unknown.exitCode).toBe(2);
      expect(unknown.err).toContain('"abacus" is neither a device class nor a device');
      const away = await alphaflops('worker', 'list', '--url', 'http://127.0.0.1:9', '--token', 'x');
      expect(away).toMatchObject({ exitCode: 1, out: '' });
      expect(away.err).toContain('No coordinator answers at http://127.0.0.1:9');
      // The kept token is not sent to another address.
      const other = await alphaflops('worker', 'list', '--url', 'http://127.0.0.1:9');
      expect(other.err).toContain('There is no token for http://127.0.0.1:9');
      expect((await alphaflops('worker', 'join')).exitCode).toBe(2);
    }, 60_000);
  },
);
