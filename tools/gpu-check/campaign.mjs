// A whole deployment on this machine, started with the commands for users: coordinator, Redis, SQLite, one worker.
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';

const here = import.meta.dirname;
const ALPHAFLOPS = join(here, 'node_modules/alphaflops/bin/alphaflops.js');
/** The command of executor `process`. The tests replace it by a program that needs no PyTorch. */
const PYTORCH = process.env.GPU_CHECK_PROCESS ?? `python3 "${join(here, 'alphaflops_pytorch.py')}"`;

/** Checks whether PyTorch finds a device on this machine. Otherwise returns the reason. */
export async function pytorchHere() {
  if (process.env.GPU_CHECK_PROCESS !== undefined) return { ok: true };
  const code = 'import torch, sys; sys.exit(0 if torch.cuda.is_available() else "torch finds no GPU")';
  try {
    await promisify(execFile)('python3', ['-c', code], { timeout: 60_000 });
    return { ok: true };
  } catch (error) {
    return {
      ok: false,
      reason: String(error.stderr || error.message)
        .trim()
        .split('\n')
        .at(-1),
    };
  }
}

export class Deployment {
  #directory = mkdtempSync(join(tmpdir(), 'gpu-check-'));
  #children = [];
  #env;
  url = '';
  #token = '';

  /** @param libraryPath folders with CUDA's libraries */
  constructor(libraryPath) {
    this.#env = {
      ...process.env,
      // The Redis of the machine has priority over ours.
      PATH: [process.env.PATH, join(here, 'redis')].join(delimiter),
      HOME: this.#directory,
      LD_LIBRARY_PATH: libraryPath,
      // A kernel map would be computed during the timed campaigns.
      ALPHAFLOPS_KERNEL_MAP_SHAPES: '0',
    };
  }

  /** Starts coordinator and worker. Resolves when the worker is online. */
  async start({ withPytorch }) {
    const data = join(this.#directory, 'data');
    const up = this.#spawn(['up', '--port', '0', '--no-worker', '--data-dir', data]);
    await up.said('Ctrl-C stops it.');
    ({ url: this.url, token: this.#token } = JSON.parse(readFileSync(join(data, 'cli.json'), 'utf8')));
    const { token } = await this.#ask('POST', '/v1/join-tokens', { name: 'gpu-check' });
    const credentials = ['--credentials', join(this.#directory, 'worker.json')];
    await this.#run([
      ...['worker', 'join', this.url, '--token', token, '--executor', 'cudnn', ...credentials],
      ...(withPytorch ? ['--executor', 'process', '--process-command', PYTORCH] : []),
    ]);
    // Without anchors, because the loop for comparison has none either.
    const worker = this.#spawn(['worker', 'run', '--anchors', '0', ...credentials]);
    for (;;) {
      const { items } = await this.#ask('GET', '/v1/workers');
      if (items[0]?.presence === 'online') return;
      if (worker.ended()) throw new Error(`the worker ended: ${worker.output()}`);
      await delay(50);
    }
  }

  /** Returns the device class of an executor. */
  async deviceClassOf(executor) {
    const { items } = await this.#ask('GET', '/v1/device-classes');
    const found = items.find((deviceClass) => deviceClass.executor === executor);
    if (found === undefined) throw new Error(`no device class of ${executor} among ${JSON.stringify(items)}`);
    return found.id;
  }

  /** Measures shapes. The time is from the request for the campaign to its last stored sample, without the fit. */
  async campaign(name, executor, csv) {
    const target = { kind: 'device-class', deviceClassId: await this.deviceClassOf(executor) };
    const specs = csv.trimEnd().split('\n').length - 1;
    const beganMs = performance.now();
    const { id } = await this.#ask('POST', '/v1/campaigns', {
      ...{ name, target, design: { name: 'csv', csv }, budget: { specs }, fit: { form: 'flops' } },
    });
    for (;;) {
      const { recordedSlots, plannedSlots, outcomes, state, reason } = await this.#ask(
        'GET',
        `/v1/campaigns/${id}/progress`,
      );
      if (recordedSlots === plannedSlots) {
        return { id, shapes: plannedSlots, outcomes, wallMs: performance.now() - beganMs };
      }
      if (state === 'failed' || state === 'cancelled') throw new Error(`the campaign is ${state}: ${reason}`);
      await delay(20);
    }
  }

  /** Compares the times of the common shapes with `alphaflops campaign compare`. */
  async compare(before, after) {
    const connection = ['--url', this.url, '--token', this.#token];
    return JSON.parse(await this.#run(['campaign', 'compare', before, after, '--json', ...connection]));
  }

  /** Ends all programs and removes their files. */
  async stop() {
    for (const { child, exited } of this.#children.toReversed()) {
      child.kill('SIGTERM');
      await exited;
    }
    rmSync(this.#directory, { recursive: true });
  }

  async #run(args) {
    const { stdout } = await promisify(execFile)(process.execPath, [ALPHAFLOPS, ...args], {
      ...{ env: this.#env, timeout: 120_000, maxBuffer: 1 << 26 },
    });
    return stdout;
  }

  #spawn(args) {
    const child = spawn(process.execPath, [ALPHAFLOPS, ...args], { env: this.#env });
    const exited = once(child, 'exit');
    let text = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (piece) => (text += piece));
    const ended = () => child.exitCode !== null || child.signalCode !== null;
    this.#children.push({ child, exited });
    return {
      ended,
      output: () => text,
      said: async (what) => {
        while (!text.includes(what)) {
          if (ended()) throw new Error(`alphaflops ${args[0]} ended: ${text}`);
          await Promise.race([once(child.stdout, 'data'), exited]);
        }
      },
    };
  }

  async #ask(method, path, body) {
    const answer = await fetch(this.url + path, {
      method,
      headers: { authorization: `Bearer ${this.#token}`, 'content-type': 'application/json' },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text.slice(0, 1000)}`);
    return JSON.parse(text);
  }
}
