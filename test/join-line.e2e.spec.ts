/** The command line that enrols a node, on a machine with a dozen basic tools and an empty home directory. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rename, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type ApiClient, createApiClient } from '@alphaflops/api-client';
import { trustingFetch } from '@alphaflops/api-client/trusting-fetch';
import { trustIn } from '@alphaflops/config';
import { CLI, Programs } from './support/programs.js';
import { end, until } from './support/stack.js';
import { TEST_DOUBLES } from './support/test-doubles.js';

const TOOLS = ['sh', 'tar', 'gzip', 'uname', 'mkdir', 'cat', 'ls', 'rm', 'mv', 'grep', 'sed'];

let programs: Programs;
let data: string;
let coordinator: ChildProcess | undefined;

beforeAll(async () => {
  programs = await Programs.in('join-line');
  data = join(programs.directory, 'data');
});
// The tests use the data directory, and the bundle in it, one after the other.
afterEach(async () => {
  if (coordinator !== undefined) await end(coordinator, 'SIGTERM');
});
afterAll(() => programs.stop(), 60_000);

async function up(...more: string[]) {
  const running = programs.start(CLI, ['up', '--port', '0', '--data-dir', data, '--no-worker', ...more]);
  await until(
    () => Promise.resolve(running.output()),
    (text) => text.includes('Ctrl-C stops it.') || running.child.exitCode !== null,
  );
  coordinator = running.child;
  const kept = JSON.parse(await readFile(join(data, 'cli.json'), 'utf8')) as {
    url: string;
    token: string;
    ca?: string;
  };
  const fetch =
    kept.ca === undefined ? globalThis.fetch : trustingFetch(trustIn(await readFile(kept.ca, 'utf8')));
  return {
    ...running,
    url: kept.url,
    fetch,
    api: createApiClient({ url: kept.url, token: kept.token, fetch }),
  };
}

/**
 * A separate machine from the view of a program: the environment has only a short PATH, an empty home directory and
 * our test doubles.
 */
async function machine(name: string, tools: readonly string[]) {
  const [home, bin] = [join(programs.directory, name, 'home'), join(programs.directory, name, 'bin')];
  await mkdir(home, { recursive: true });
  await mkdir(bin);
  for (const tool of tools) {
    const found = ['/bin', '/usr/bin'].map((folder) => join(folder, tool)).find((path) => existsSync(path));
    if (found !== undefined) await symlink(found, join(bin, tool));
  }
  const paste = (line: string) => {
    const child = spawn(join(bin, 'sh'), ['-c', line], {
      env: { HOME: home, PATH: bin, ...TEST_DOUBLES },
      cwd: home,
    });
    let said = '';
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (piece: Buffer) => (said += piece.toString()));
    const ended = once(child, 'close').then(([exitCode]) => ({ exitCode: exitCode as number, output: said }));
    return { child, ended, output: () => said };
  };
  return { home, share: join(home, '.local/share/alphaflops'), paste };
}

async function lineOf(api: ApiClient, uses = 1): Promise<{ command: string; token: string }> {
  const { data: made } = await api.POST('/v1/join-tokens', { body: { maxUses: uses } });
  return { command: made?.command ?? '', token: made?.token ?? '' };
}

const workersOf = async (api: ApiClient) => (await api.GET('/v1/workers')).data?.items ?? [];

describe('the line that enrols a node', () => {
  it('brings a worker online over http, upgrades in place, and removes everything again', async () => {
    const { api, url } = await up();
    const node = await machine('plain', [...TOOLS, 'curl']);
    const { command } = await lineOf(api);
    expect(command).toMatch(/^curl -fsS http:\/\/127\.0\.0\.1:\d+\/join\.sh \| sh -s -- af_join_[\w-]{43}$/);

    const first = node.paste(`${command} --executor fake --label rack=7 --name first --until-idle 2s`);
    const online = await until(
      () => workersOf(api),
      (workers) => workers.some(({ presence }) => presence === 'online') || first.child.exitCode !== null,
    );
    expect(online).toMatchObject([{ name: 'first', presence: 'online', labels: { rack: '7' } }]);
    // The worker leaves by itself, because there is no work.
    const { exitCode, output } = await first.ended;
    expect([exitCode, output]).toEqual([
      0,
      expect.stringMatching(/Enrolled as worker-[^]*Measures +Fake device[^]*--until-idle/),
    ]);
    // The folder contains exactly the files that the worker needs.
    expect((await readdir(node.home)).sort()).toEqual(['.config', '.local']);

    // The token has no uses left and is not needed, because the machine is known.
    const again = await node.paste(`${command} --no-run`).ended;
    expect(again).toMatchObject({ exitCode: 0, output: expect.stringMatching(/its credentials stay/) });
    expect(again.output).not.toContain('Getting the worker');
    expect(await workersOf(api)).toHaveLength(1);
    expect(await readdir(join(node.share, 'versions'))).toHaveLength(1);

    // A node with an older version upgrades to the version of the coordinator on request.
    const [version = ''] = await readdir(join(node.share, 'versions'));
    const older = join(node.share, 'versions/older');
    await rename(join(node.share, 'versions', version), older);
    const bundle = await readFile(join(older, 'bundle.json'), 'utf8');
    await writeFile(join(older, 'bundle.json'), bundle.replace(/"id":"[^"]+"/, '"id":"0.0.1-older"'));
    const run = (more: string) =>
      node.paste(`${join(older, 'alphaflops-worker')} run --until-idle 1s ${more}`).ended;
    expect((await run('')).output).toMatch(
      /serves worker \S+, this is 0\.0\.1-older: paste the join line again/,
    );
    const upgraded = await run('--auto-upgrade');
    expect(upgraded.output).toMatch(
      /it is installed after the current batch[^]*upgrading to worker[^]*taking batches[^]*--until-idle/,
    );
    expect(await readdir(join(node.share, 'versions'))).toContain(version);

    const removal = await node.paste(`curl -fsS ${url}/join.sh | sh -s -- --uninstall`).ended;
    expect(removal).toMatchObject({
      exitCode: 0,
      output: expect.stringContaining(`revoke ${online[0]?.id ?? ''}`),
    });
    expect(existsSync(node.share) || existsSync(join(node.home, '.config/alphaflops'))).toBe(false);
  }, 180_000);

  it('trusts a self-signed certificate by the pin in the token, with curl and with wget', async () => {
    const { cert, key } = programs.certificate();
    const { api, url } = await up('--tls-cert', cert, '--tls-key', key);
    const { command, token } = await lineOf(api, 3);
    const [, pin] =
      /^curl -fsS -k --pinnedpubkey '(sha256\/\/[\w+/=]+)' https:\/\/\S+\/join\.sh \| sh -s -- af_join_[\w.-]+$/.exec(
        command,
      ) ?? [];
    expect(pin).toBeDefined();

    const curl = await machine('curl', [...TOOLS, 'curl', 'sha256sum']);
    const joined = { exitCode: 0, output: expect.stringContaining('Enrolled as worker-') };
    expect(await curl.paste(`${command} --executor fake --no-run`).ended).toEqual(joined);
    const wget = await machine('wget', [...TOOLS, 'wget', 'openssl']);
    const byWget = `wget -q -O - --no-check-certificate --pinnedpubkey='${pin ?? ''}' ${url}/join.sh | sh -s -- ${token}`;
    expect(await wget.paste(`${byWget} --executor fake --no-run`).ended).toEqual(joined);
    expect(await workersOf(api)).toHaveLength(3);

    // Another server at the address of the coordinator has a different key, so nothing runs.
    const other = await machine('other', [...TOOLS, 'curl', 'sha256sum']);
    const wrong = `sha256//${Buffer.alloc(32).toString('base64')}`;
    const refused = await other.paste(command.replace(pin ?? '', wrong)).ended;
    expect(refused.output).toMatch(/public key does not match pinned public key/);
    expect(existsSync(other.share)).toBe(false);
  }, 180_000);

  it('reports the reason of a failure: no token, no tools, a damaged archive', async () => {
    const { url } = await up();
    const bare = await machine('bare', ['sh', 'cat', 'curl', 'uname']);
    const script = `curl -fsS ${url}/join.sh | sh -s --`;
    expect((await bare.paste(script).ended).output).toMatch(/say the join token/);
    expect((await bare.paste(`${script} --executor fake`).ended).output).toMatch(
      /the first word is the join token/,
    );
    expect((await bare.paste(`${script} af_join_x`).ended).output).toMatch(/tar is needed/);
    const node = await machine('damaged', [...TOOLS, 'curl', 'sha256sum']);
    const digest = (await (await fetch(`${url}/bundles/linux-x64.tar.gz.sha256`)).text()).split(' ')[0] ?? '';
    const tampered = `curl -fsS ${url}/join.sh | sed 's/read -r expected name <.*/read -r expected name <"$root\\/expected.$$"; expected=0${digest.slice(1)}/' | sh -s -- af_join_x`;
    expect(await node.paste(tampered).ended).toMatchObject({
      exitCode: 1,
      output: expect.stringMatching(/is damaged: its SHA-256 is/),
    });
    expect((await fetch(`${url}/bundles/windows-x64.tar.gz`)).status).toBe(400);
  }, 120_000);
});
