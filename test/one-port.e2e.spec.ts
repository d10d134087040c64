/**
 * Coordinator and node in separate network namespaces, with one open port between them: a node needs no other port.
 * Skipped, with the reason, if namespaces cannot be created.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CLI } from './support/programs.js';
import { end, until } from './support/stack.js';
import { TEST_DOUBLES } from './support/test-doubles.js';

const SERVER = '10.213.7.1';
const NODE = '10.213.7.2';
const spaces = { server: `af-server-${process.pid}`, node: `af-node-${process.pid}` };
const ip = (...words: string[]) => execFileSync('ip', words, { stdio: 'pipe', encoding: 'utf8' });

function makeSpaces(): string | null {
  try {
    for (const name of Object.values(spaces)) ip('netns', 'add', name);
    ip(
      'link',
      'add',
      'af-s',
      'netns',
      spaces.server,
      'type',
      'veth',
      'peer',
      'name',
      'af-n',
      'netns',
      spaces.node,
    );
    for (const [name, link, address] of [
      [spaces.server, 'af-s', SERVER],
      [spaces.node, 'af-n', NODE],
    ] as const) {
      ip('-n', name, 'addr', 'add', `${address}/24`, 'dev', link);
      for (const up of [link, 'lo']) ip('-n', name, 'link', 'set', up, 'up');
    }
    return null;
  } catch (error) {
    removeSpaces();
    return error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error);
  }
}

function removeSpaces(): void {
  for (const name of Object.values(spaces)) {
    try {
      ip('netns', 'del', name);
    } catch {
      // It was not made.
    }
  }
}

const reason = makeSpaces();
const title = 'a node behind one port';
if (reason !== null) it.skip(`${title} (skipped: ${reason})`, () => undefined);
else {
  describe(title, () => {
    let directory: string;
    const children: ChildProcess[] = [];

    beforeAll(async () => {
      directory = await mkdtemp(join(tmpdir(), 'alphaflops-one-port-'));
    });
    afterAll(async () => {
      for (const child of children.reverse()) await end(child, 'SIGTERM');
      removeSpaces();
      await rm(directory, { recursive: true });
    }, 60_000);

    function within(space: string, words: readonly string[], home: string) {
      const child = spawn('ip', ['netns', 'exec', space, ...words], {
        cwd: directory,
        env: { PATH: process.env['PATH'], HOME: home, ...TEST_DOUBLES },
      });
      children.push(child);
      let said = '';
      for (const stream of [child.stdout, child.stderr])
        stream.on('data', (piece: Buffer) => (said += piece.toString()));
      return { child, output: () => said };
    }
    async function finished(space: string, words: readonly string[]) {
      const { child, output } = within(space, words, directory);
      const [exitCode] = (await once(child, 'close')) as [number];
      return { exitCode, output: output() };
    }
    const alphaflops = (...words: string[]) =>
      finished(spaces.server, [process.execPath, CLI, ...words, '--data-dir', join(directory, 'data')]);

    it('joins, measures a campaign and leaves; no other port answers', async () => {
      const start = [
        'up',
        '--host',
        '0.0.0.0',
        '--port',
        '8080',
        '--no-worker',
        '--data-dir',
        join(directory, 'data'),
      ];
      const up = within(spaces.server, [process.execPath, CLI, ...start], directory);
      await until(
        () => Promise.resolve(up.output()),
        (text) => text.includes('Ctrl-C stops it.') || up.child.exitCode !== null,
      );
      const { command } = JSON.parse((await alphaflops('worker', 'token', '--json')).output) as {
        command: string;
      };
      expect(command).toContain(`https://${SERVER}:8080/join.sh`);

      // Only the API answers on the side of the node.
      const redis = JSON.parse(await readFile(join(directory, 'data/redis/private-redis.json'), 'utf8')) as {
        port: number;
      };
      const knock = (port: number) =>
        `require('net').connect(${port}, '${SERVER}').on('connect', () => process.exit(0)).on('error', () => process.exit(1))`;
      const answers = async (port: number) =>
        (await finished(spaces.node, [process.execPath, '-e', knock(port)])).exitCode === 0;
      expect([await answers(8080), await answers(redis.port)]).toEqual([true, false]);

      const node = within(
        spaces.node,
        ['sh', '-c', `${command} --executor fake --until-idle 8s`],
        join(directory, 'home'),
      );
      await until(
        () => Promise.resolve(node.output()),
        (text) => text.includes('taking batches') || node.child.exitCode !== null,
      );
      const campaign = await alphaflops(
        'campaign',
        'create',
        '--name',
        'behind',
        '--design',
        'networklike',
        '--budget',
        '20',
        '--target',
        'auto',
        '--watch',
      );
      expect(campaign.output).toMatch(/20\/20/);
      expect(campaign.exitCode).toBe(0);
      const [exitCode] = (await once(node.child, 'close')) as [number];
      expect([exitCode, node.output()]).toEqual([0, expect.stringContaining('--until-idle')]);
    }, 180_000);
  });
}
