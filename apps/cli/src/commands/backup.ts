import { createHash } from 'node:crypto';
import { createReadStream, existsSync } from 'node:fs';
import { copyFile, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { makeDirectory, readConfig } from '@alphaflops/config';
import { MIGRATED_KINDS, migrateStores } from '@alphaflops/store';
import { copySqliteStore } from '@alphaflops/store-sqlite';
import type { Command } from 'commander';
import { CliError } from '../error.js';
import {
  configuredStore,
  expectNoOther,
  migrationProgress,
  openStores,
  type StoreAddress,
} from '../stores.js';
import { json, table } from '../tables.js';

interface BackupOptions {
  dataDir?: string;
  json?: true;
}

export function backupCommand(command: Command): void {
  command
    .argument('<file>', 'a new file; the command also writes FILE.sha256')
    .option('--data-dir <dir>', 'data directory of the deployment (default: .alphaflops)')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      '\nALPHAFLOPS_STORE, MONGODB_URI or the data directory select the store. An SQLite store may be in use meanwhile. For\n' +
        'MongoDB, stop the coordinators first, or use its own tools. The file is an SQLite store itself. You need not save the\n' +
        'queue: a coordinator submits planned work that is not measured yet again. The file has digests of tokens, but not the\n' +
        'tokens.\n' +
        '\nExample:\n  alphaflops backup /backup/alphaflops-monday.sqlite',
    )
    .action(backup);
}

export function restoreCommand(command: Command): void {
  command
    .argument('<file>', 'a file from backup; FILE.sha256 must be in the same folder')
    .option('--data-dir <dir>', 'data directory to restore into (default: .alphaflops)')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      '\nALPHAFLOPS_STORE, MONGODB_URI or the data directory select the store. It must be empty or come from an interrupted\n' +
        'restore. The command compares all records at the end. Then start the coordinator: tokens and workers are those of the\n' +
        'backup, and unfinished campaigns continue. "up --new-admin-token" replaces a lost admin token.\n' +
        '\nExample:\n  alphaflops restore /backup/alphaflops-monday.sqlite --data-dir /var/lib/alphaflops',
    )
    .action(restore);
}

async function backup(name: string, { dataDir, json: asJson }: BackupOptions): Promise<void> {
  const file = resolve(name);
  if (existsSync(file)) throw new CliError('usage', `${file} exists already. Name a new file.`);
  const store = configuredStore(dataDir);
  const part = `${file}.part`;
  await rm(part, { force: true });
  if (store.kind === 'sqlite') copySqliteStore(store.file, part);
  else {
    await inTemporary(dirname(file), async (directory) => {
      const filled = join(directory, 'filled.sqlite');
      await moveBetween(store, { kind: 'sqlite', file: filled });
      copySqliteStore(filled, part);
    });
  }
  const sum = await sha256Of(part);
  await writeFile(`${file}.sha256`, `${sum}  ${basename(file)}\n`);
  await rename(part, file);
  console.log(asJson === true ? json({ file, sha256: sum }) : `${file}\nsha256 ${sum}`);
}

async function restore(name: string, { dataDir, json: asJson }: BackupOptions): Promise<void> {
  const file = resolve(name);
  if (!existsSync(file)) throw new CliError('usage', `There is no file ${file}.`);
  await expectWhole(file);
  const { dataDirectory } = readConfig(dataDir === undefined ? {} : { ALPHAFLOPS_DATA_DIR: dataDir });
  const target = configuredStore(dataDir);
  makeDirectory(dataDirectory);
  // Use a copy, because opening a store locks its file, and may upgrade it to a newer version.
  await inTemporary(dataDirectory, async (directory) => {
    const copy = join(directory, 'backup.sqlite');
    await copyFile(file, copy);
    const summary = await moveBetween({ kind: 'sqlite', file: copy }, target);
    if (asJson === true) {
      console.log(json(summary));
      return;
    }
    const rows = MIGRATED_KINDS.map((kind) => [kind, String(summary[kind].count)]);
    console.log(`\n${table(['restored and verified', 'records'], rows, 1)}`);
  });
}

async function moveBetween(from: StoreAddress, to: StoreAddress) {
  const source = await openStores(from);
  try {
    const target = await openStores(to);
    try {
      await expectNoOther(source, target);
      return await migrateStores(source, target, migrationProgress());
    } finally {
      await target.close();
    }
  } finally {
    await source.close();
  }
}

async function inTemporary(parent: string, work: (directory: string) => Promise<void>): Promise<void> {
  const directory = await mkdtemp(join(parent, '.alphaflops-'));
  try {
    await work(directory);
  } finally {
    await rm(directory, { recursive: true });
  }
}

/** @throws CliError `bad-input` if the file is not the one that `backup` wrote */
async function expectWhole(file: string): Promise<void> {
  const noted = await readFile(`${file}.sha256`, 'utf8').catch(() => null);
  if (noted === null) {
    throw new CliError(
      'bad-input',
      `${file}.sha256 is missing: without it the command cannot check that the backup is complete.`,
    );
  }
  if (noted.split(' ')[0] === (await sha256Of(file))) return;
  throw new CliError('bad-input', `${file} is damaged: its digest is not the one in ${file}.sha256.`);
}

async function sha256Of(file: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(file), hash);
  return hash.digest('hex');
}
