import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Child } from './child.js';
import { Supervisor, type SupervisorOptions } from './supervisor.js';

/** Asks again with every turn of the event loop; the time limit is the test's own. */
async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve));
}

describe('a supervisor', () => {
  let directory: string;
  let launched: Child[];
  const output: string[] = [];

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'alphaflops-supervisor-'));
    launched = [];
    output.length = 0;
  });
  afterEach(async () => {
    await rm(directory, { recursive: true });
  });

  async function launcherOf(code: string): Promise<() => Child> {
    const program = join(directory, 'child.mjs');
    await writeFile(program, code);
    return () => {
      const child = Child.start(program, [], { environment: {}, logFile: join(directory, 'child.log') });
      launched.push(child);
      return child;
    };
  }

  function keep(launch: () => Child, more: Partial<SupervisorOptions> = {}): Supervisor {
    return new Supervisor(launch(), {
      name: 'child',
      launch,
      say: (line) => output.push(line),
      pauseMs: 1,
      ...more,
    });
  }

  const READY =
    "process.send('ready'); process.on('disconnect', () => process.exit(0)); setInterval(() => 0, 1000);";

  it('starts a killed child again, and reports it', async () => {
    const supervisor = keep(await launcherOf(READY));
    await launched[0]?.firstMessage();
    launched[0]?.signal('SIGKILL');
    await until(() => launched.length === 2);
    await launched[1]?.firstMessage();
    await supervisor.stop();
    expect(output).toEqual([expect.stringContaining('The child was ended by SIGKILL; it is started again')]);
    expect(await launched[1]?.ended).toEqual({ exitCode: null, signal: 'SIGTERM' });
    expect(launched).toHaveLength(2);
  });

  it('waits twice as long before each further start', async () => {
    const supervisor = keep(await launcherOf('process.exit(3);'), { pauseMs: 250 });
    await until(() => output.length === 3);
    await supervisor.stop();
    expect(output.map((line) => /exit code 3; .* in (\S+ s) /.exec(line)?.[1])).toEqual([
      '0.25 s',
      '0.5 s',
      '1 s',
    ]);
    expect(launched).toHaveLength(3);
  });

  it('does not start a child again that has left permanently', async () => {
    const supervisor = keep(await launcherOf('process.exit(0);'), {
      leftForGood: ({ exitCode }) => Promise.resolve(exitCode === 0 ? 'It was sent away.' : null),
    });
    await until(() => output.length > 0);
    await supervisor.stop();
    expect(output).toEqual(['It was sent away.']);
    expect(launched).toHaveLength(1);
  });

  it('lets further children write to the same log', async () => {
    const launch = await launcherOf("console.log('a line');");
    for (let at = 0; at < 2; at++) await launch().ended;
    expect(await readFile(join(directory, 'child.log'), 'utf8')).toBe('a line\na line\n');
    expect(launched[1]?.logTail()).toBe('a line');
  });
});
