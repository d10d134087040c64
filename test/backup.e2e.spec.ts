import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fakeSpec } from '@alphaflops/executor/testing';
import { writeSpecs } from '@alphaflops/dataset';
import { Stack, until } from './support/stack.js';

const CLI = resolve(import.meta.dirname, '../apps/cli/bin/alphaflops.js');
// Eight seconds of measurements, during which the test makes a backup and kills all processes.
const SPECS = 100;

function alphaflops(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  return new Promise((done) => {
    execFile(process.execPath, [CLI, ...args], { cwd: tmpdir() }, (error, out, err) => {
      done({ code: error === null ? 0 : Number(error.code), out, err });
    });
  });
}

describe('backup and restore', () => {
  it('moves an unfinished campaign to an empty machine', async () => {
    const backups = await mkdtemp(join(tmpdir(), 'alphaflops-backup-'));
    const file = join(backups, 'monday.sqlite');
    const lost = await Stack.start({ ALPHAFLOPS_BATCH_SPECS: '5' });
    const credentials = await lost.enrol('node');
    lost.startWorker(credentials);
    const specs = Array.from({ length: SPECS }, (_, i) =>
      fakeSpec('slow', { width: 80, cin: i + 1, cout: 8 }),
    );
    let csv = '';
    for await (const piece of writeSpecs(specs)) csv += piece;
    const { data: classes } = await lost.api.GET('/v1/device-classes');
    const { data: campaign } = await lost.api.POST('/v1/campaigns', {
      body: {
        name: 'carried on',
        target: { kind: 'device-class', deviceClassId: classes?.items[0]?.id ?? '' },
        design: { name: 'csv', csv },
        repeats: 0,
        budget: { specs: SPECS },
        fit: { form: 'flops' },
      },
    });
    const id = campaign?.id ?? '';
    const progress = async ({ api }: Stack) =>
      (await api.GET('/v1/campaigns/{id}/progress', { params: { path: { id } } })).data;
    await until(
      () => progress(lost),
      (now) => (now?.recordedSlots ?? 0) >= 10,
    );
    // While everything runs.
    expect(await alphaflops('backup', file, '--data-dir', join(lost.directory, 'data'))).toMatchObject({
      code: 0,
      err: '',
    });
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect(await progress(lost)).toMatchObject({ state: 'running' });
    await lost.stopProcesses();

    const found = await Stack.prepare({ ALPHAFLOPS_BATCH_SPECS: '5' });
    const data = join(found.directory, 'data');
    try {
      const restored = await alphaflops('restore', file, '--data-dir', data);
      expect(restored).toMatchObject({ code: 0, out: expect.stringMatching(/campaigns +1\n/) });
      await found.startCoordinator({ ALPHAFLOPS_PORT: new URL(lost.url).port });
      found.token = lost.token;
      const carried = await progress(found);
      expect(carried?.recordedSlots).toBeGreaterThanOrEqual(10);
      expect(carried?.recordedSlots).toBeLessThan(SPECS);
      found.startWorker(credentials);
      const end = await until(
        () => progress(found),
        (now) => now?.state === 'completed',
      );
      expect(end).toMatchObject({ recordedSlots: SPECS, outcomes: { ok: SPECS } });

      // Another deployment is not overwritten, and a damaged file is not restored.
      const other = await alphaflops('restore', file, '--data-dir', data);
      expect(other).toMatchObject({ code: 1, err: expect.stringContaining('in use by process') });
      const bytes = await readFile(file);
      bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] ?? 0) ^ 1;
      await writeFile(file, bytes);
      const damaged = await alphaflops('restore', file, '--data-dir', join(backups, 'data'));
      expect(damaged).toMatchObject({ code: 2, err: expect.stringContaining('is damaged') });
    } finally {
      await found.stop();
      await rm(lost.directory, { recursive: true });
      await rm(backups, { recursive: true });
    }
  }, 120_000);

  it('does not change the store of another deployment', async () => {
    const [one, other] = [await Stack.start(), await Stack.start()];
    const [file, data] = [join(one.directory, 'one.sqlite'), join(other.directory, 'data')];
    try {
      expect((await alphaflops('backup', file, '--data-dir', join(one.directory, 'data'))).code).toBe(0);
      await other.stopCoordinator();
      const refused = await alphaflops('restore', file, '--data-dir', data);
      expect(refused).toMatchObject({ code: 1, err: expect.stringContaining('another deployment') });
      await other.startCoordinator();
      expect((await other.api.GET('/v1/workers')).response.status).toBe(200);
    } finally {
      await one.stop();
      await other.stop();
    }
  }, 60_000);
});
