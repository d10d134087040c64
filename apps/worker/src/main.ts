#!/usr/bin/env node
/** The worker's program: `main.js join URL --token TOKEN`, `main.js run`. Exit codes: 0 done, 1 failed, 2 wrong usage. */
import { dirname, join as joinPath, resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import { type Config, ConfigError, readConfig, readPem } from '@alphaflops/config';
import { printable, errorText } from '@alphaflops/contracts';
import { parseArguments, type RunArguments } from './arguments.js';
import { lockCredentials, readCredentials } from './credentials.js';
import { WorkerError } from './error.js';
import { ownBundle } from './install/installation.js';
import { Log } from './log.js';
import { type DepartureSignals, departureOf } from './signals.js';
import { fetchFrom } from './trust.js';
import { workerVersion } from './version.js';

// Each command loads what it needs.
async function main(argv: readonly string[]): Promise<number> {
  const args = parseArguments(argv);
  if (args.command === 'help') {
    process.stdout.write(args.text);
    return 0;
  }
  if (args.command === 'probe') {
    const { referenceOf } = await import('./executors.js');
    const { probeReport } = await import('./probe.js');
    const machine = { ...args, libraryPath: readConfig().libraryPath };
    const references = args.executors.map((executor) => referenceOf(executor, machine));
    const { text: report, works } = await probeReport(references, args.json);
    process.stdout.write(`${printable(report)}\n`);
    return works ? 0 : 1;
  }
  if (args.command === 'bench') {
    const { bench } = await import('./bench.js');
    const { benchText } = await import('./bench-report.js');
    const report = await bench({ ...args, libraryPath: readConfig().libraryPath }, await workerVersion());
    process.stdout.write(`${printable(args.json ? JSON.stringify(report, null, 2) : benchText(report))}\n`);
    return report.measurement.outcome === 'ok' ? 0 : 1;
  }
  const config = readConfig();
  const print = (line: string): void => void process.stdout.write(printable(line));
  if (args.command === 'add') {
    const { add } = await import('./add/add.js');
    const { registries, caFiles, proxies } = config;
    const fetchBy = fetchFrom({ coordinatorUrl: registries.npm, ca: readPem(caFiles), pin: null }, proxies);
    await add(args.what, { registries, python: 'python3', fetch: fetchBy, print });
    return 0;
  }
  if (args.command === 'run-offline') {
    const departure = departureOf(process);
    const { runOffline } = await import('./offline/run-offline.js');
    return await runOffline(args, credentialsFile(args.credentials, config, 'offline-node.pem'), {
      ...departure,
      worker: await workerVersion(),
      libraryPath: config.libraryPath,
      log: new Log(config.log, print),
      print,
    });
  }
  const file = credentialsFile(args.command === 'install' ? args.join.credentials : args.credentials, config);
  switch (args.command) {
    case 'join': {
      const { join } = await import('./join.js');
      await join(args, await tokenOf(args), file, config, await workerVersion(), print);
      return 0;
    }
    case 'install': {
      const { install } = await import('./install/install.js');
      const isToRun = await install(
        args,
        await tokenOf(args.join),
        file,
        config,
        await workerVersion(),
        print,
      );
      return isToRun ? await runWorker(args.runArguments, file, config) : 0;
    }
    case 'uninstall': {
      const { uninstall } = await import('./install/uninstall.js');
      await uninstall(file, print);
      return 0;
    }
    case 'run':
      return await runWorker(args, file, config);
  }
}

async function runWorker(args: RunArguments, file: string, config: Config): Promise<number> {
  // This comes first, so that a signal during the load of the other modules counts, too.
  const departure = departureOf(process);
  const { run } = await import('./run.js');
  const log = new Log(config.log, (line) => process.stdout.write(line));
  const credentials = await readCredentials(file);
  // A newer certificate can be given without joining again.
  const trusting = { ...credentials, ca: readPem(config.caFiles) ?? credentials.ca };
  const fetchBy = fetchFrom(trusting, config.proxies);
  const attempt = async (signals: DepartureSignals): Promise<number> => {
    const lock = await lockCredentials(file);
    try {
      return await run(trusting, {
        ...signals,
        fetch: fetchBy,
        log,
        worker: await workerVersion(),
        libraryPath: config.libraryPath,
        referenceTimesFile: joinPath(dirname(file), 'reference-times.json'),
        anchors: args.anchors,
        anchorsEvery: args.anchorsEvery,
        stay: args,
      });
    } finally {
      await lock.close();
    }
  };
  const bundle = ownBundle();
  if (bundle === null) return await attempt(departure);
  const { runUpgraded } = await import('./install/upgrade.js');
  const words = ['run', ...args.words];
  return await runUpgraded(attempt, departure, {
    bundle,
    words,
    credentials,
    fetchBy,
    log,
    isAutomatic: args.autoUpgrade,
  });
}

/** @throws WorkerError `usage` if standard input is empty */
async function tokenOf({ token }: { readonly token: string }): Promise<string> {
  const read = token === '-' ? (await text(process.stdin)).trim() : token;
  if (read === '') throw new WorkerError('usage', '--token: standard input is empty.');
  return read;
}

function credentialsFile(named: string | null, config: Config, usual = 'worker.json'): string {
  if (named !== null) return resolve(named);
  if (config.workerDirectory === null) {
    throw new WorkerError(
      'usage',
      'This user has no home directory for the credentials: set HOME, or name a file with --credentials.',
    );
  }
  return joinPath(config.workerDirectory, usual);
}

// The reader of the output may end before this process. The batch continues.
process.stdout.on('error', () => undefined);
process.stderr.on('error', () => undefined);

try {
  process.exit(await main(process.argv.slice(2)));
} catch (error) {
  const isUsage = error instanceof WorkerError && error.code === 'usage';
  process.stderr.write(
    `${printable(errorText(error))}\n${isUsage ? 'Usage: alphaflops-worker --help\n' : ''}`,
  );
  process.exit(isUsage || error instanceof ConfigError ? 2 : 1);
}
