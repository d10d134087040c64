import { hostname } from 'node:os';
import { resolve } from 'node:path';
import { specKey } from '@alphaflops/conv';
import { parseArguments } from './arguments.js';
import { WorkerError } from './error.js';
import { exampleSpec } from './example-job.spec-helper.js';

const URL_AND_TOKEN = ['http://gpu-lab:8080', '--token', 'hush'];

describe('arguments of the worker', () => {
  it('joins by default with the executors that work and the name of the host', () => {
    expect(parseArguments(['join', ...URL_AND_TOKEN])).toEqual({
      command: 'join',
      coordinatorUrl: 'http://gpu-lab:8080/',
      token: 'hush',
      executors: null,
      processCommand: null,
      cudnnFind: false,
      tfjsNodeFolder: null,
      softwareAdapter: false,
      labels: {},
      name: hostname(),
      credentials: null,
      ca: null,
      force: false,
    });
  });

  it('takes repeated executors and labels, and keeps the text after the first equals sign', () => {
    const args = [...URL_AND_TOKEN, '--executor', 'cudnn', '--executor', 'tfjs-cpu', '--executor', 'cudnn'];
    const labels = [
      '--label',
      'rack=b=2',
      '--label',
      'site=',
      '--name',
      'n1',
      '--credentials',
      'c',
      '--force',
    ];
    expect(parseArguments(['join', ...args, ...labels])).toMatchObject({
      executors: ['cudnn', 'tfjs-cpu'],
      labels: { rack: 'b=2', site: '' },
      name: 'n1',
      credentials: 'c',
      force: true,
    });
  });

  it('takes a program of the user, which is then also used', () => {
    const args = [...URL_AND_TOKEN, '--process-command', 'python3 "my program.py"', '--find'];
    expect(parseArguments(['join', ...args])).toMatchObject({
      executors: null,
      processCommand: 'python3 "my program.py"',
      cudnnFind: true,
    });
    expect(parseArguments(['join', ...args, '--executor', 'cudnn'])).toMatchObject({
      executors: ['cudnn', 'process'],
    });
  });

  it('accepts a software adapter only with --software-adapter', () => {
    const args = ['probe', '--executor', 'tfjs-webgpu'];
    expect(parseArguments(args)).toMatchObject({ softwareAdapter: false });
    expect(parseArguments([...args, '--software-adapter'])).toMatchObject({ softwareAdapter: true });
  });

  it('stores the absolute path of a folder', () => {
    const args = ['join', ...URL_AND_TOKEN, '--executor', 'tfjs-node', '--tfjs-node', 'some/folder'];
    expect(parseArguments(args)).toMatchObject({ tfjsNodeFolder: resolve('some/folder') });
  });

  it('reads the token from standard input for a single hyphen', () => {
    expect(parseArguments(['join', 'https://a/b', '--token', '-'])).toMatchObject({
      token: '-',
      coordinatorUrl: 'https://a/b/',
    });
  });

  it('runs for the time of --for and --until-idle', () => {
    const stay = ['--once', '--for', '2h', '--until-idle', '90s', '--auto-upgrade'];
    const run = { once: true, forMs: 7_200_000, untilIdleMs: 90_000, autoUpgrade: true, words: stay };
    expect(parseArguments(['run', ...stay])).toMatchObject(run);
    expect(parseArguments(['run'])).toMatchObject({ once: false, forMs: null, untilIdleMs: null });
    for (const wrong of ['2', '0s', '1.5h', '25d', 'h']) {
      expect(() => parseArguments(['run', '--for', wrong])).toThrow(/--for .*Expected a time such as 90s/);
    }
  });

  it('installs with the options of join and run', () => {
    const words = [...URL_AND_TOKEN, '--label', 'rack=7', '--once', '--executor', 'cudnn', '--for=2h'];
    expect(parseArguments(['install', ...words])).toMatchObject({
      command: 'install',
      join: {
        coordinatorUrl: 'http://gpu-lab:8080/',
        token: 'hush',
        labels: { rack: '7' },
        executors: ['cudnn'],
      },
      runArguments: { once: true, forMs: 7_200_000, words: ['--once', '--for', '2h'] },
      service: false,
      run: true,
    });
    expect(parseArguments(['install', ...words, '--service'])).toMatchObject({ service: true, run: false });
    expect(parseArguments(['install', ...words, '--no-run'])).toMatchObject({ service: false, run: false });
    expect(() => parseArguments(['install', ...words, '--nonsense'])).toThrow(/--nonsense/);
    expect(parseArguments(['add', 'webgpu'])).toEqual({ command: 'add', what: 'webgpu' });
    expect(() => parseArguments(['add', 'rm'])).toThrow(/Allowed choices are webgpu, cudnn/);
  });

  it('runs, and prints help', () => {
    const run = { command: 'run', credentials: null, anchors: null, anchorsEvery: null };
    expect(parseArguments(['run'])).toMatchObject(run);
    expect(parseArguments(['run', '--credentials', 'f'])).toMatchObject({ ...run, credentials: 'f' });
    const anchors = ['--anchors', '0', '--anchors-every', '5'];
    expect(parseArguments(['run', ...anchors])).toMatchObject({ ...run, anchors: 0, anchorsEvery: 5 });
    const help = (...argv: string[]) => parseArguments([...argv, '--help']);
    expect(help('join')).toEqual({ command: 'help', text: expect.stringContaining('--token <token>') });
    expect(help()).toEqual({ command: 'help', text: expect.stringContaining('uninstall') });
  });

  it.each([
    [[], /Name a command: join, install, run/],
    [['jion'], /unknown command 'jion'/],
    [['join', '--token', 'hush'], /missing required argument 'url'/],
    [['join', 'http://a', 'http://b', '--token', 'hush'], /Expected 1 argument but got 2/],
    [['join', 'http://a'], /--token/],
    [['join', 'http://a', '--token', ''], /--token/],
    [['join', 'gpu-lab:8080', '--token', 'hush'], /URL/],
    [['join', 'http://me:hush@a', '--token', 'hush'], /without a user or password/],
    [
      ['join', ...URL_AND_TOKEN, '--executor', 'cuda'],
      /--executor .*'cuda' is invalid. Known executors: tfjs-wasm/,
    ],
    [['join', ...URL_AND_TOKEN, '--executor', 'toString'], /--executor .*'toString' is invalid/],
    [['join', ...URL_AND_TOKEN, '--label', 'rack'], /--label .*'rack' is invalid. Expected key=value/],
    [['join', ...URL_AND_TOKEN, '--label', ':=1'], /--label/],
    [['join', ...URL_AND_TOKEN, '--name', ''], /--name/],
    [['join', ...URL_AND_TOKEN, '--fast'], /--fast/],
    [['join', ...URL_AND_TOKEN, '--tokn=hush'], /unknown option '--tokn'/],
    [['join', ...URL_AND_TOKEN, '--tokn=it is not hush'], /unknown option '--tokn'/],
    [['join', ...URL_AND_TOKEN, '--process-command', ' '], /--process-command/],
    [['join', ...URL_AND_TOKEN, '--tfjs-node', ''], /--tfjs-node/],
    [['run', 'hush'], /Expected 0 arguments but got 1/],
    [['run', '--credentials'], /--credentials/],
    [['run', '--anchors', '65'], /--anchors .*a whole number from 0 to 64/],
    [['run', '--anchors-every', '0'], /--anchors-every/],
  ])('refuses %j', (argv, message) => {
    const attempt = () => parseArguments(argv);
    expect(attempt).toThrow(WorkerError);
    expect(attempt).toThrow(message);
    expect(attempt).not.toThrow(/hush/);
  });

  it('times one convolution', () => {
    const spec = exampleSpec();
    const args = ['bench', '--spec', specKey(spec)];
    const defaults = {
      executor: null,
      deviceUuid: null,
      protocol: null,
      processCommand: null,
      cudnnFind: false,
      tfjsNodeFolder: null,
      softwareAdapter: false,
    };
    expect(parseArguments(args)).toEqual({ command: 'bench', spec, ...defaults, energy: false, json: false });
    const all = ['--executor=cudnn', '--device=d', '--protocol=gpu', '--find', '--energy', '--json'];
    expect(parseArguments([...args, ...all])).toMatchObject({
      ...{ executor: 'cudnn', deviceUuid: 'd', protocol: 'gpu', cudnnFind: true, energy: true, json: true },
    });
    expect(parseArguments([...args, '--process-command=p'])).toMatchObject({ executor: 'process' });
    expect(() => parseArguments(['bench', '--spec', 'h1'])).toThrow(/--spec/);
    expect(() => parseArguments([...args, '--executor', 'cuda'])).toThrow(/Known executors/);
  });

  it('probes all real executors by default, or those that --executor names', () => {
    expect(parseArguments(['probe'])).toMatchObject({
      command: 'probe',
      executors: expect.arrayContaining(['tfjs-wasm', 'tfjs-cpu']),
      json: false,
    });
    expect(parseArguments(['probe', '--executor', 'cudnn', '--json'])).toMatchObject({
      command: 'probe',
      executors: ['cudnn'],
      json: true,
    });
    expect(() => parseArguments(['probe', '--executor', 'abacus'])).toThrow("'abacus' is invalid");
  });
});
