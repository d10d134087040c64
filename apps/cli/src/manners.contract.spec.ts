import { execFile, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const program = resolve(import.meta.dirname, '../bin/alphaflops.js');
const SAMPLE = resolve(import.meta.dirname, '../../../data/sample-h100/h100-networklike-1000.csv');
const isBuilt = existsSync(resolve(import.meta.dirname, '../dist/main.js'));
const has = (name: string) => spawnSync(name, ['--version']).error === undefined;
const hasTerminal = has('script');
const missing = [...(isBuilt ? [] : ['a build: npm run build']), ...(hasTerminal ? [] : ['script(1)'])];
/** Begins every colour and every movement of the cursor on a terminal. */
const ESCAPE = '\u001b[';

(missing.length === 0 ? describe : describe.skip)(`manners (skipped without ${missing.join(', ')})`, () => {
  let directory: string;
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'alphaflops-manners-'));
  });
  afterAll(() => rm(directory, { recursive: true }));

  function ran(file: string, args: readonly string[], env: Record<string, string> = {}): Promise<string> {
    const inherited = { ...process.env };
    // CI: Node distinguishes terminals of builds from those of people.
    for (const name of ['NO_COLOR', 'FORCE_COLOR', 'CI']) Reflect.deleteProperty(inherited, name);
    return new Promise((done) => {
      execFile(file, args, { cwd: directory, env: { ...inherited, ...env } }, (_error, out, err) => {
        done(`${out}${err}`);
      });
    });
  }
  const piped = (...args: string[]) => ran(process.execPath, [program, ...args]);
  const onTerminal = (env: Record<string, string>, ...args: string[]) =>
    ran('script', ['-qec', [process.execPath, program, ...args].join(' '), '/dev/null'], env);
  const simulation = [
    'simulate',
    '--data',
    SAMPLE,
    '--design',
    'networklike',
    '--budget',
    '40',
    '--rounds',
    '2',
  ];

  it('uses colours only on terminals', async () => {
    const terminal = { TERM: 'xterm-256color' };
    const [seen, plain, elsewhere] = await Promise.all([
      onTerminal(terminal, '--help'),
      onTerminal({ ...terminal, NO_COLOR: '1' }, '--help'),
      piped('--help'),
    ]);
    expect(seen).toContain(`${ESCAPE}1mUsage:`);
    expect(plain).not.toContain(ESCAPE);
    expect(elsewhere).not.toContain(ESCAPE);
    expect(await onTerminal(terminal, 'evaluate', '--model', 'no', '--data', 'no')).toContain(`${ESCAPE}31m`);
  });

  it('shows a progress bar during long work, and removes it', async () => {
    const [seen, elsewhere] = await Promise.all([
      onTerminal({ TERM: 'xterm' }, ...simulation),
      piped(...simulation),
    ]);
    expect(seen).toContain('░');
    expect(seen.slice(seen.lastIndexOf('░'))).toMatch(/median APE/);
    expect(elsewhere).not.toMatch(/[░█]/);
    expect(elsewhere).not.toContain(ESCAPE);
  });

  it('writes its whole output to a pipe, also if it is longer than the buffer of the pipe', async () => {
    const fit = `fit --data "${SAMPLE}" --limit 200 --out model.json --json`;
    const piped = await ran('sh', ['-c', `"${process.execPath}" "${program}" ${fit} | cat`]);
    expect(piped.length).toBeGreaterThan(70_000);
    expect(piped).toBe(await readFile(join(directory, 'model.json'), 'utf8'));
  });

  it.each([
    [['--version'], []],
    [['--help'], []],
    [['token', 'list', '--help'], ['token']],
    [
      ['dataset', 'list', '--help'],
      ['dataset/index', 'dataset/list'],
    ],
  ])('loads for %j the commands %j alone', async (args, commands) => {
    const coverageDirectory = await mkdtemp(join(directory, 'loaded-'));
    await ran(process.execPath, [program, ...args], { NODE_V8_COVERAGE: coverageDirectory });
    const [file = ''] = await readdir(coverageDirectory);
    const { result } = JSON.parse(await readFile(join(coverageDirectory, file), 'utf8')) as {
      result: { url: string }[];
    };
    const loaded = result.map(({ url }) => url);
    const found = loaded.flatMap((url) => /\/cli\/dist\/commands\/(.+)\.js$/.exec(url)?.[1] ?? []);
    expect(found.toSorted()).toEqual(commands);
    // The files of error classes load nothing else.
    const libraries = loaded.filter(
      (url) => /\/(zod|libs\/(models|planning|queue|report|store))\//.test(url) && !url.endsWith('error.js'),
    );
    if (commands.length === 0) expect(libraries).toEqual([]);
  });

  it('prints a script that completes', async () => {
    const script = await piped('completion', 'bash');
    // the function of the script, as the shell calls it at Tab; the program is found as it is here
    const answer = spawnSync('bash', ['--norc', '-s'], {
      encoding: 'utf8',
      input: [
        `alphaflops() { "${process.execPath}" "${program}" "$@"; }`,
        script,
        'COMP_LINE="alphaflops campaign re"; COMP_POINT=${#COMP_LINE}',
        'COMP_WORDS=(alphaflops campaign re); COMP_CWORD=2; _alphaflops_completion; echo "${COMPREPLY[*]}"',
      ].join('\n'),
    });
    expect(answer.stdout.trim()).toBe('resume');
  });
});
