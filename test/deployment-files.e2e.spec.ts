import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { describeVariables } from '@alphaflops/config';
import { Redis } from 'ioredis';
import { parse, parseAllDocuments } from 'yaml';
import { Stack, until } from './support/stack.js';

const root = resolve(import.meta.dirname, '..');
const docker = join(root, 'docker');
const text = (name: string) => readFileSync(join(docker, name), 'utf8');
const has = (program: string, ...args: string[]) =>
  spawnSync(program, args, { stdio: 'ignore' }).status === 0;

type Checker = { command: [string, ...string[]]; skip?: never } | { skip: string };
/** The checkers that tools/checkers-for-tests.mjs finds or installs on this machine. */
const checkers = JSON.parse(
  execFileSync(process.execPath, [join(root, 'tools/checkers-for-tests.mjs')], { encoding: 'utf8' }),
) as Record<'compose' | 'hadolint' | 'kubernetes' | 'promtool', Checker>;
/** A test that is skipped, with the reason in its name, if a checker is not available. */
const itWith =
  (name: keyof typeof checkers) =>
  (title: string, run: () => void): void => {
    const { skip } = checkers[name];
    // eslint-disable-next-line tests/asserts-something -- `run` does
    if (skip === undefined) it(title, run);
    else it.skip(`${title} (skipped: ${skip})`, run);
  };
function check(name: keyof typeof checkers, args: readonly string[], env: Record<string, string> = {}) {
  const checker = checkers[name];
  if (checker.skip !== undefined) throw new Error(checker.skip);
  const [program, ...first] = checker.command;
  return spawnSync(program, [...first, ...args], {
    encoding: 'utf8',
    env: { PATH: process.env['PATH'], ...env },
  });
}

const known = new Set(describeVariables().map(({ name }) => name));
/** Variables of the programs in the base images, not of alphaflops. */
const FOREIGN = [
  'REDIS_PASSWORD',
  'NODE',
  'NODE_ENV',
  'NVIDIA_VISIBLE_DEVICES',
  'NVIDIA_DRIVER_CAPABILITIES',
];
const expectKnown = (names: readonly string[]) => {
  expect(names.filter((name) => !known.has(name) && !FOREIGN.includes(name))).toEqual([]);
};

interface Service {
  environment?: Record<string, unknown>;
  build?: { context: string; dockerfile: string; target: string };
  volumes?: string[];
}
const composeFiles = ['compose.yaml', 'compose.worker.yaml'];
const servicesOf = (file: string): Service[] =>
  Object.values((parse(text(file), { merge: true }) as { services: Record<string, Service> }).services);

describe.each(composeFiles)('docker/%s', (file) => {
  itWith('compose')('is accepted by docker compose config', () => {
    const config = (env: Record<string, string>, ...args: string[]) =>
      check('compose', ['-f', join(docker, file), 'config', ...args], env);
    expect(config({ REDIS_PASSWORD: 'x' }, '--quiet')).toMatchObject({ status: 0, stderr: '' });
    // What .env.example says for TLS is accepted as well.
    const secured = Object.fromEntries(
      [...text('.env.example').matchAll(/^# {3}(\w+)=(.*)$/gm)].map(([, name = '', value = '']) => [
        name,
        value,
      ]),
    );
    expect(Object.keys(secured).length).toBeGreaterThan(4);
    expect(config({ ...secured, REDIS_PASSWORD: 'x' }, '--quiet')).toMatchObject({ status: 0, stderr: '' });
  });

  it('uses known variables, targets of the Dockerfile, and existing files', () => {
    for (const { environment = {}, build, volumes = [] } of servicesOf(file)) {
      expectKnown(Object.keys(environment));
      if (build !== undefined) {
        expect(text('Dockerfile')).toMatch(new RegExp(`^FROM .* AS ${build.target}$`, 'm'));
        expect(existsSync(resolve(docker, build.context, build.dockerfile))).toBe(true);
      }
      for (const volume of volumes.filter((each) => /^\.\/.*\.\w+:/.test(each))) {
        expect(existsSync(join(docker, volume.split(':')[0] ?? ''))).toBe(true);
      }
    }
  });
});

describe('docker/Dockerfile', () => {
  const stages = text('Dockerfile')
    .split(/^(?=FROM )/m)
    .slice(1);

  itWith('hadolint')('has nothing that hadolint finds fault with', () => {
    const done = check('hadolint', ['--no-color', join(docker, 'Dockerfile')]);
    expect(done).toMatchObject({ status: 0, stdout: '' });
  });

  it('starts from images with a tag that an argument can replace', () => {
    const images = [...text('Dockerfile').matchAll(/^ARG \w+_IMAGE=(.*)$/gm)].map(([, image]) => image);
    expect(images).toHaveLength(2);
    for (const image of images) expect(image).toMatch(/^[a-z/]+:[\w.-]*\d[\w.-]*$/);
    for (const stage of stages) expect(stage).toMatch(/^FROM (\$\{\w+_IMAGE\}|runtime) AS /);
    expect(images.map((image) => /:(\d+)/.exec(image ?? '')?.[1])).toEqual(['24', '13']);
  });

  it('runs nothing as root, and only programs that exist', () => {
    const userOf = (stage: string): string | undefined =>
      /^USER (\S+)$/m.exec(stage)?.[1] ??
      (stage.startsWith('FROM runtime ') ? userOf(stages[1] ?? '') : undefined);
    const images = stages.filter((stage) => /^(CMD|ENTRYPOINT) /m.test(stage));
    expect(images).toHaveLength(4);
    for (const stage of images) {
      expect(userOf(stage)).toBe('1000:1000');
      expect(stage).toMatch(/^HEALTHCHECK /m);
      const programs = [...stage.matchAll(/"node_modules\/\.bin\/alphaflops-(\w+)"/g)].map(
        ([, name]) => name ?? '',
      );
      expect(programs).toHaveLength(1);
      for (const name of programs) expect(existsSync(join(root, 'apps', name, 'dist/main.js'))).toBe(true);
    }
  });

  it('sets variables that the programs know', () => {
    const set = [...text('Dockerfile').matchAll(/\b([A-Z][A-Z_]+)=(?!.*_IMAGE)/g)].map(
      ([, name]) => name ?? '',
    );
    expectKnown(set.filter((name) => !/_IMAGE$|^NX_DAEMON$|^CI$/.test(name)));
    expect(set).toContain('ALPHAFLOPS_DATA_DIR');
  });
});

describe('docker/healthcheck.mjs', () => {
  it('distinguishes a process that answers from a missing one', async () => {
    const stack = await Stack.start();
    const check = (port: string) =>
      spawnSync(process.execPath, [join(docker, 'healthcheck.mjs'), port]).status;
    try {
      expect(check(new URL(stack.url).port)).toBe(0);
      expect(check('1')).toBe(1);
    } finally {
      await stack.stop();
    }
  }, 60_000);
});

describe('docker/redis/start.sh', () => {
  it('starts a Redis with an append-only file, which requires the password', async () => {
    const data = mkdtempSync(join(tmpdir(), 'alphaflops-redis-'));
    const free = createServer().listen(0, '127.0.0.1');
    await once(free, 'listening');
    const { port } = free.address() as AddressInfo;
    free.close();
    const child = spawn('/bin/sh', [join(docker, 'redis/start.sh')], {
      stdio: 'ignore',
      env: { ...process.env, DATA: data, PORT: String(port), REDIS_PASSWORD: 'hush' },
    });
    const options = { port, lazyConnect: true, maxRetriesPerRequest: 20 };
    const ours = new Redis({ ...options, username: 'alphaflops', password: 'hush' });
    const stranger = new Redis({ ...options, retryStrategy: () => null });
    for (const client of [ours, stranger]) client.on('error', () => undefined);
    try {
      expect(await ours.config('GET', 'appendonly')).toEqual(['appendonly', 'yes']);
      expect(await ours.ping()).toBe('PONG');
      await expect(stranger.ping()).rejects.toThrow('NOAUTH');
      expect(readFileSync(join(data, 'users.acl'), 'utf8')).not.toContain('hush');
    } finally {
      ours.disconnect();
      stranger.disconnect();
      child.kill('SIGTERM');
      await once(child, 'exit');
      rmSync(data, { recursive: true });
    }
  });
});

describe('docker/kubernetes', () => {
  itWith('kubernetes')('keeps the schema of Kubernetes, with no field that it does not have', () => {
    const done = check('kubernetes', ['--strict', join(docker, 'kubernetes/alphaflops.yaml')]);
    expect(done.stderr + done.stdout).not.toMatch(/ERROR|failed/i);
    expect(done.status).toBe(0);
  });

  it('is a list of objects with variables that the programs know', () => {
    const documents = parseAllDocuments(text('kubernetes/alphaflops.yaml'));
    expect(documents.flatMap(({ errors }) => errors)).toEqual([]);
    const objects = documents.map((document) => document.toJS() as { kind: string; data?: object });
    expect(objects.map(({ kind }) => kind)).toEqual([
      'ConfigMap',
      'Deployment',
      'Service',
      'Deployment',
      'DaemonSet',
    ]);
    expectKnown(Object.keys(objects[0]?.data ?? {}));
    const named = [...text('kubernetes/alphaflops.yaml').matchAll(/\{ name: ([A-Z_]+), value/g)];
    expectKnown(named.map(([, name]) => name ?? ''));
    expect(named.length).toBeGreaterThan(0);
  });
});

describe('docker/systemd', () => {
  const units = readdirSync(join(docker, 'systemd')).map((name) => `systemd/${name}`);

  it('sets variables that the programs know, and starts programs that exist', () => {
    expect(units).toHaveLength(2);
    for (const unit of units) {
      const set = [...text(unit).matchAll(/^Environment=(.*)$/gm)].flatMap(([, all = '']) => all.split(' '));
      expectKnown(set.map((each) => each.split('=')[0] ?? ''));
      const program = /^ExecStart=\/usr\/bin\/env node \/opt\/alphaflops\/(\S+)/m.exec(text(unit))?.[1];
      expect(existsSync(join(root, program ?? 'nothing'))).toBe(true);
    }
  });

  (has('systemd-analyze', '--version') ? it : it.skip)(
    'is accepted by systemd-analyze verify (skipped without systemd-analyze)',
    () => {
      const paths = units.map((unit) => join(docker, unit));
      const done = spawnSync('systemd-analyze', ['verify', '--man=no', ...paths], { encoding: 'utf8' });
      const aboutOurs = done.stderr.split('\n').filter((line) => line.includes('alphaflops-'));
      expect(aboutOurs).toEqual([]);
    },
  );
});

describe('docker/prometheus', () => {
  const files = join(docker, 'prometheus');

  itWith('promtool')(
    'has rules that Prometheus accepts, and that alert when they should and not before',
    () => {
      expect(check('promtool', ['check', 'rules', join(files, 'alerts.yaml')])).toMatchObject({ status: 0 });
      const tested = check('promtool', ['test', 'rules', join(files, 'alerts.test.yaml')]);
      expect(`${tested.stdout}${tested.stderr}`).not.toContain('FAILED');
      expect(tested.status).toBe(0);
    },
  );

  it('tests every rule', () => {
    const named = (pattern: RegExp, file: string) =>
      new Set([...text(`prometheus/${file}`).matchAll(pattern)].map(([, name]) => name));
    const rules = named(/alert: (\w+)/g, 'alerts.yaml');
    expect(rules.size).toBeGreaterThan(4);
    expect(named(/alertname: (\w+)/g, 'alerts.test.yaml')).toEqual(rules);
  });
});

describe('docker/grafana', () => {
  it('uses metrics that the processes export, like the alert rules', async () => {
    const stack = await Stack.start();
    try {
      const answer = await fetch(`${stack.url}/metrics`, {
        headers: { authorization: `Bearer ${stack.token}` },
      });
      const exposed = new Set(
        [...(await answer.text()).matchAll(/^# TYPE (\S+) (\S+)$/gm)].flatMap(([, name = '', type]) =>
          type === 'histogram' ? ['_bucket', '_count', '_sum'].map((end) => name + end) : [name],
        ),
      );
      const { panels } = JSON.parse(text('grafana/alphaflops.json')) as {
        panels: { targets: { expr: string }[] }[];
      };
      const expressions = [
        ...panels.flatMap(({ targets }) => targets.map(({ expr }) => expr)),
        ...[...text('prometheus/alerts.yaml').matchAll(/expr: (.*)/g)].map(([, expr = '']) => expr),
      ];
      const used = expressions.flatMap((expr) => expr.match(/\b(alphaflops|process|nodejs)_\w+/g) ?? []);
      expect(used.length).toBeGreaterThanOrEqual(panels.length);
      expect(used.filter((name) => !exposed.has(name))).toEqual([]);
    } finally {
      await stack.stop();
    }
  }, 60_000);

  it('sees workers, batches, samples and queues in the metrics of a campaign; the log names them', async () => {
    const stack = await Stack.start({
      ALPHAFLOPS_BATCH_SPECS: '8',
      ALPHAFLOPS_LOG_JSON: 'true',
      ALPHAFLOPS_LOG_LEVEL: 'debug',
    });
    try {
      stack.startWorker(await stack.enrol('node'));
      const { data: classes } = await stack.api.GET('/v1/device-classes');
      const deviceClassId = classes?.items[0]?.id ?? '';
      const { data: campaign } = await stack.api.POST('/v1/campaigns', {
        body: {
          name: 'metrics',
          target: { kind: 'device-class', deviceClassId },
          design: { name: 'networklike' },
          budget: { specs: 24 },
          fit: { form: 'flops' },
        },
      });
      const id = campaign?.id ?? '';
      await until(
        async () => (await stack.api.GET('/v1/campaigns/{id}', { params: { path: { id } } })).data?.state,
        (state) => state === 'completed',
      );
      const answer = await fetch(`${stack.url}/metrics`, {
        headers: { authorization: `Bearer ${stack.token}` },
      });
      const lines = (await answer.text()).split('\n');
      const value = (start: string) =>
        Number(
          lines
            .find((line) => line.startsWith(start))
            ?.split(' ')
            .at(-1),
        );
      expect(value('alphaflops_samples_total{outcome="ok"}')).toBe(24);
      expect(value('alphaflops_batches_total{end="measured"}')).toBe(3);
      expect(value('alphaflops_recording_seconds_count')).toBe(3);
      expect(value('alphaflops_fits_total{end="published"}')).toBe(1);
      expect(value('alphaflops_workers{presence="online",desired_state="active"}')).toBe(1);
      expect(value('alphaflops_queue_jobs{queue="fit",state="waiting"}')).toBe(0);

      const logged = stack.coordinatorOutput.trim().split('\n');
      const entries = logged.map((line) => JSON.parse(line) as Record<string, unknown>);
      const recorded = entries.filter(({ message }) => message === 'recorded');
      const worker = expect.stringMatching(/^worker-/);
      expect(recorded.map(({ batch }) => batch).toSorted()).toEqual([0, 1, 2]);
      for (const entry of recorded) expect(entry).toMatchObject({ campaign: id, worker, inserted: 8 });
      expect(entries).toContainEqual(
        expect.objectContaining({ message: 'fitted', campaign: id, samples: 24 }),
      );
    } finally {
      await stack.stop();
    }
  }, 60_000);
});
