#!/usr/bin/env node
/** The worker's program: `main.js join URL --token TOKEN`, `main.js run`. Exit codes: 0 done, 1 failed, 2 wrong usage. */
import { join as joinPath, resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import { type Config, ConfigError, readConfig, readPem } from '@alphaflops/config';
import { type JoinArguments, parseArguments, type RunArguments, USAGE } from './arguments.js';
import { readCredentials } from './credentials.js';
import { messageOf, WorkerError } from './error.js';
import { Log } from './log.js';
import { departureOf } from './signals.js';
import { workerVersion } from './version.js';

// Each command loads what it needs: the queue of `run` takes a quarter of a second.
async function main(argv: readonly string[]): Promise<number> {
  const args = parseArguments(argv);
  if (args.command === 'help') {
    process.stdout.write(USAGE);
    return 0;
  }
  if (args.command === 'probe') {
    const { referenceOf } = await import('./executors.js');
    const { probeReport } = await import('./probe.js');
    const machine = { ...args, libraryPath: readConfig().libraryPath };
    const references = args.executors.map((executor) => referenceOf(executor, machine));
    const { text: report, works } = await probeReport(references, args.json);
    process.stdout.write(`${report}\n`);
    return works ? 0 : 1;
  }
  if (args.command === 'bench') {
    const { bench } = await import('./bench.js');
    const { benchText } = await import('./bench-report.js');
    const report = await bench({ ...args, libraryPath: readConfig().libraryPath }, await workerVersion());
    process.stdout.write(`${args.json ? JSON.stringify(report, null, 2) : benchText(report)}\n`);
    return report.measurement.outcome === 'ok' ? 0 : 1;
  }
  const config = readConfig();
  const file = credentialsFile(args, config);
  if (args.command === 'join') {
    const token = args.token === '-' ? (await text(process.stdin)).trim() : args.token;
    if (token === '') throw new WorkerError('usage', '--token: there is none on standard input.');
    const { join } = await import('./join.js');
    await join(args, token, file, config, await workerVersion(), (line) => process.stdout.write(line));
    return 0;
  }
  // First of all: a signal that comes while the rest is loaded is heeded, too.
  const departure = departureOf(process);
  const { run } = await import('./run.js');
  const log = new Log(config.log, (line) => process.stdout.write(line));
  const credentials = await readCredentials(file);
  // A newer certificate can be given without joining again.
  const ca = readPem(config.caFiles) ?? credentials.ca;
  return await run(
    { ...credentials, ca },
    {
      ...departure,
      log,
      worker: await workerVersion(),
      libraryPath: config.libraryPath,
      anchors: args.anchors,
      anchorsEvery: args.anchorsEvery,
    },
  );
}

function credentialsFile(args: JoinArguments | RunArguments, config: Config): string {
  return args.credentials === null
    ? joinPath(config.workerDirectory, 'worker.json')
    : resolve(args.credentials);
}

// Whoever reads our lines may end before we do: that is no reason to drop a batch.
process.stdout.on('error', () => undefined);
process.stderr.on('error', () => undefined);

try {
  process.exit(await main(process.argv.slice(2)));
} catch (error) {
  const isUsage = error instanceof WorkerError && error.code === 'usage';
  process.stderr.write(`${messageOf(error)}\n${isUsage ? 'Usage: alphaflops worker --help\n' : ''}`);
  process.exit(isUsage || error instanceof ConfigError ? 2 : 1);
}
