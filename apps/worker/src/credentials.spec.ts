import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type Credentials,
  readCredentials,
  refuseOtherCoordinator,
  writeCredentials,
} from './credentials.js';

const credentials: Credentials = {
  coordinatorUrl: 'http://gpu-lab:8080/',
  workerId: 'worker-1',
  workerToken: 'hush-token',
  signingKey: '-----BEGIN PRIVATE KEY-----\nhush-key\n-----END PRIVATE KEY-----\n',
  ca: null,
  pin: null,
  name: 'n1',
  executors: ['tfjs-wasm'],
  processCommand: null,
  cudnnFind: false,
  tfjsNodeFolder: null,
  softwareAdapter: false,
};

let directory: string;
let file: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'alphaflops-credentials-'));
  file = join(directory, 'deeper', 'worker.json');
});
afterEach(() => rm(directory, { recursive: true }));

const keep = () => writeCredentials(file, credentials);

describe('credentials', () => {
  it('are read as they were written, and only their owner may read them', async () => {
    await keep();
    expect(await readCredentials(file)).toEqual(credentials);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect((await stat(join(directory, 'deeper'))).mode & 0o777).toBe(0o700);
  });

  it('are private again after others got access', async () => {
    await keep();
    await chmod(file, 0o644);
    await writeCredentials(file, credentials);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
  });

  it('are replaced atomically: a reader always finds the old or the new version', async () => {
    await keep();
    const written = new AbortController();
    const seen = new Set<string>();
    const reading = (async () => {
      while (!written.signal.aborted) seen.add((await readCredentials(file)).name);
    })();
    for (let at = 0; at < 50; at++) {
      await writeCredentials(file, { ...credentials, name: `${at % 2}${'x'.repeat(100_000)}` });
    }
    written.abort();
    await reading;
    expect(seen.size).toBeGreaterThan(1);
    expect(await readdir(join(directory, 'deeper'))).toEqual(['worker.json']);
  });

  it('cannot replace a directory, and leave no file beside it', async () => {
    const taken = join(directory, 'taken');
    await mkdir(taken);
    await expect(writeCredentials(taken, credentials)).rejects.toMatchObject({
      code: 'bad-credentials',
      message: expect.stringContaining(`${taken}: it is a directory. Free some space there, or name`),
    });
    expect(await readdir(directory)).toEqual(['taken']);
  });

  it('of another coordinator are not replaced', async () => {
    await refuseOtherCoordinator(file, 'http://elsewhere/');
    await keep();
    await expect(refuseOtherCoordinator(file, 'http://elsewhere/')).rejects.toMatchObject({
      code: 'other-coordinator',
      message: expect.stringMatching(/worker-1 at http:\/\/gpu-lab:8080\/.*--force/),
    });
    await refuseOtherCoordinator(file, credentials.coordinatorUrl);
  });

  it('are named with advice when they are missing or malformed, without their content', async () => {
    await expect(readCredentials(file)).rejects.toMatchObject({
      code: 'no-credentials',
      message: expect.stringContaining('join'),
    });
    const broken = join(directory, 'broken.json');
    await writeFile(broken, JSON.stringify({ ...credentials, workerId: 'Not An Id', name: undefined }));
    await expect(readCredentials(broken)).rejects.toMatchObject({
      code: 'bad-credentials',
      message: expect.stringMatching(/broken\.json.*workerId, name/),
    });
    await expect(readCredentials(broken)).rejects.not.toThrow(/hush/);
    await writeFile(broken, (await readFile(broken, 'utf8')).slice(0, 40));
    await expect(refuseOtherCoordinator(broken, 'http://elsewhere/')).rejects.toMatchObject({
      code: 'bad-credentials',
      message: expect.stringContaining('--force'),
    });
  });

  it('require a new enrolment if the worker has no signing key', async () => {
    const old = join(directory, 'old.json');
    await writeFile(old, JSON.stringify({ ...credentials, signingKey: undefined }));
    await expect(readCredentials(old)).rejects.toMatchObject({
      code: 'bad-credentials',
      message: expect.stringMatching(/old\.json belongs to a worker .* before samples were signed.*--force/),
    });
  });

  it('cannot be kept below a file', async () => {
    const plain = join(directory, 'plain');
    await writeFile(plain, '');
    await expect(writeCredentials(join(plain, 'worker.json'), credentials)).rejects.toMatchObject({
      code: 'bad-credentials',
      message: expect.stringMatching(/worker\.json: .*plain is a file\. Free some space/),
    });
  });
});
