import { EventEmitter } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readConfig } from '@alphaflops/config';
import { browserAddress, openBrowser } from './sign-in-link.js';

const LINK = 'http://127.0.0.1:8080/#/sign-in/af_sign-in_EXAMPLE';

/** A program that ends with this code, or does not end. */
function opener(exitCode: number | null): EventEmitter & { exitCode: number | null } {
  const program = Object.assign(new EventEmitter(), { exitCode: null });
  if (exitCode !== null) setImmediate(() => program.emit('exit', exitCode));
  return program;
}

describe('openBrowser', () => {
  let directory: string;
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'alphaflops-open-'));
  });
  afterEach(() => {
    rmSync(directory, { recursive: true });
  });

  it('writes the link to a file that only this user can read, and removes the file', async () => {
    const opened: string[] = [];
    const { trouble, forget } = await openBrowser(LINK, directory, (url) => {
      opened.push(url);
      return Promise.resolve(opener(0));
    });
    expect(trouble).toBeNull();
    const file = fileURLToPath(opened[0] ?? '');
    expect(opened).toEqual([expect.not.stringContaining('af_sign-in_')]);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(readFileSync(file, 'utf8')).toContain(`url=${LINK}"`);
    await forget();
    expect(existsSync(file)).toBe(false);
  });

  it('reports why no browser opens', async () => {
    const ended = await openBrowser(LINK, directory, () => Promise.resolve(opener(3)));
    expect(ended.trouble).toContain('ended with 3');
    const absent = await openBrowser(LINK, directory, () => Promise.reject(new Error('spawn ENOENT')));
    expect(absent.trouble).toBe('spawn ENOENT');
  });

  it('treats a program that continues to run as the browser itself', async () => {
    const { trouble } = await openBrowser(LINK, directory, () => Promise.resolve(opener(null)));
    expect(trouble).toBeNull();
  });
});

describe('browserAddress', () => {
  const at = (settings: Record<string, string>) =>
    browserAddress(readConfig(settings), 'http://127.0.0.1:8080');
  it('is the address on this machine, the address for other machines, or the configured one', () => {
    expect(at({ ALPHAFLOPS_HOST: '127.0.0.1' })).toBe('http://127.0.0.1:8080');
    expect(at({ ALPHAFLOPS_HOST: '192.0.2.7' })).toBe('http://192.0.2.7:8080');
    const publicUrl = 'https://gpu-lab.example.org/costs';
    expect(at({ ALPHAFLOPS_HOST: '0.0.0.0', ALPHAFLOPS_PUBLIC_URL: publicUrl })).toBe(publicUrl);
  });
});
