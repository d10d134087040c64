import { type ChildProcess, execFile, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { extname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { alpha, PUBLISHED_ALPHA } from '@alphaflops/conv';
import { browser, Tab } from './support/browser.js';

const root = resolve(import.meta.dirname, '..');
const program = join(root, 'apps/cli/bin/alphaflops.js');
const run = promisify(execFile);
const hasPython = spawnSync('python3', ['--version']).status === 0;
const hasData = existsSync(resolve(root, '../shared/data'));

/** The code blocks of a page in one language. */
async function blocks(page: string, language: string): Promise<string[]> {
  const text = await readFile(join(root, 'docs', page), 'utf8');
  return [...text.matchAll(new RegExp(`^\`\`\`${language}\\n([^]*?)^\`\`\`$`, 'gm'))].map(
    ([, code]) => code ?? '',
  );
}

describe('the site', () => {
  let directory: string;
  let server: Server;
  let url: string;

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'alphaflops-docs-'));
    // The build fails on a dead link.
    await run('npx', ['--no-install', 'vitepress', 'build', 'docs', '--outDir', directory], { cwd: root });
    server = createServer((request, response) => {
      const path = join(directory, new URL(request.url ?? '/', 'http://site').pathname);
      const file = extname(path) === '' ? `${path}.html` : path;
      const type = { '.html': 'text/html', '.js': 'text/javascript', '.css': 'text/css' }[extname(file)];
      readFile(file).then(
        (content) =>
          response.writeHead(200, { 'content-type': type ?? 'application/octet-stream' }).end(content),
        () => response.writeHead(404).end(),
      );
    });
    await once(server.listen(0, '127.0.0.1'), 'listening');
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }, 240_000);
  afterAll(async () => {
    server.closeAllConnections();
    server.close();
    await rm(directory, { recursive: true });
  });

  (browser.path === undefined ? it.skip : it)(
    `explains α with sliders that compute it${browser.skip === undefined ? '' : ` (skipped: ${browser.skip})`}`,
    async () => {
      const tab = await Tab.open();
      try {
        await tab.page.goto(`${url}/alpha`);
        const result = tab.page.getByRole('status').locator('strong');
        const shown = async () => Number((await result.textContent())?.replaceAll(',', ''));
        const expected = (points: number, kernel: number, group: '1x1' | 'other') =>
          Number(alpha(points, kernel, PUBLISHED_ALPHA[group]).toPrecision(4));
        expect(await shown()).toBe(expected(10_000, 9, 'other'));
        await tab.page.getByRole('button', { name: 'Published, 1×1 kernels' }).click();
        expect(await shown()).toBe(expected(10_000, 1, '1x1'));
        await tab.page.getByRole('slider', { name: /output points/ }).fill('2');
        expect(await shown()).toBe(expected(100, 1, '1x1'));
        await tab.page.getByRole('slider', { name: /γ/ }).fill('0');
        expect(await shown()).toBe(1);
        expect(tab.errors).toEqual([]);
        // The navigation bars come from VitePress and have their own findings. The test checks only our content.
        await tab.page.evaluate(() => {
          for (const bar of document.querySelectorAll('.VPNav, .VPLocalNav, .VPSidebar')) bar.remove();
        });
        expect(await tab.seriousFindings()).toEqual([]);
        await tab.screenshot('docs-alpha');
      } finally {
        await tab.close();
      }
    },
    60_000,
  );
});

describe('the tutorial', () => {
  let directory: string;
  let stack: ChildProcess;

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'alphaflops-tutorial-'));
    stack = spawn(process.execPath, [program, 'up', '--port', '0'], { cwd: directory });
    let said = '';
    stack.stdout?.on('data', (piece: Buffer) => (said += piece.toString()));
    stack.stderr?.on('data', (piece: Buffer) => (said += piece.toString()));
    const ended = once(stack, 'close').then(() => {
      throw new Error(`"alphaflops up" ended before it was ready:\n${said}`);
    });
    while (!said.includes('Ctrl-C stops it.'))
      await Promise.race([once(stack.stdout as NodeJS.ReadableStream, 'data'), ended]);
  }, 60_000);
  afterAll(async () => {
    stack.kill('SIGTERM');
    await once(stack, 'exit');
    await rm(directory, { recursive: true });
  }, 60_000);

  it('leads from an empty machine to a published data set with its own commands', async () => {
    const commands = (await blocks('tutorial.md', 'bash')).join('\n');
    expect(commands.match(/npx alphaflops/g)?.length).toBeGreaterThan(8);
    const script = `set -euo pipefail\nnpx() { shift; "${process.execPath}" "${program}" "$@"; }\n${commands}`;
    const { stdout } = await run('bash', ['--norc', '-c', script], { cwd: directory });
    expect(stdout).toMatch(
      /(\d+)\/\1 · completed[^]*The campaign is completed[^]*Error on held-out shapes[^]*in the calibrated domain/,
    );
    expect(existsSync(join(directory, 'report.html'))).toBe(true);
    expect(existsSync(join(directory, 'first-data/README.md'))).toBe(true);
    // On a machine with other load, each sample waits for a quiet moment.
  }, 480_000);

  (hasPython ? it : it.skip)(
    'and the Python of the API page asks what it has measured (skipped without python3)',
    async () => {
      const [code = ''] = await blocks('api.md', 'python');
      const { url, token } = JSON.parse(
        await readFile(join(directory, '.alphaflops/cli.json'), 'utf8'),
      ) as Record<string, string>;
      const env = { ...process.env, ALPHAFLOPS_URL: url, ALPHAFLOPS_TOKEN: token };
      const { stdout } = await run('python3', ['-c', code], { env });
      expect(Number(/^(\S+) ms$/m.exec(stdout)?.[1])).toBeGreaterThan(0);
    },
    60_000,
  );
});

describe('the page on both papers', () => {
  (hasData ? it : it.skip)(
    'has the numbers of the data (skipped where the folder with the reference data is absent)',
    async () => {
      const { stdout } = await run(process.execPath, [join(root, 'tools/replication.mjs'), '--check']);
      expect(stdout).toContain('agrees with the data');
    },
    120_000,
  );
});
