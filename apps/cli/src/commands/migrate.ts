import { MIGRATED_KINDS, migrateStores, type Stores } from '@alphaflops/store';
import type { Command } from 'commander';
import { CliError } from '../error.js';
import {
  configuredStore,
  expectNoOther,
  migrationProgress,
  openExistingStores,
  openStores,
  type StoreAddress,
  storeAddress,
} from '../stores.js';
import { json, table } from '../tables.js';

interface MigrateOptions {
  from?: string;
  to?: string;
  json?: true;
}

export function migrateCommand(command: Command): void {
  command
    .option('--from <store>', 'sqlite:FILE or mongodb://…')
    .option('--to <store>', 'the same; it must be empty, or partly filled by this migration')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      '\nYou may leave out one of the two. Then ALPHAFLOPS_STORE, MONGODB_URI or ALPHAFLOPS_DATA_DIR select the store, so that\n' +
        'the command line needs no password. Stop every coordinator and fitter first. An interrupted migration continues when\n' +
        'you start it again. At the end the command reads, counts and compares the records of both stores by digest.\n' +
        '\nExample:\n  alphaflops migrate --from sqlite:.alphaflops/alphaflops.sqlite --to mongodb://db1,db2,db3/alphaflops?replicaSet=rs0',
    )
    .action(migrate);
}

async function migrate(options: MigrateOptions): Promise<void> {
  const { from, to } = endsOf(options);
  const source = await openExistingStores(from);
  try {
    await expectSomething(source);
    const target = await openStores(to);
    try {
      await expectNoOther(source, target);
      await move(source, target, options.json === true);
    } finally {
      await target.close();
    }
  } finally {
    await source.close();
  }
}

function endsOf({ from, to }: MigrateOptions): { from: StoreAddress; to: StoreAddress } {
  if (from === undefined && to === undefined) throw new CliError('usage', 'Give --from, --to or both.');
  const ends = {
    from: from === undefined ? configuredStore() : storeAddress(from, '--from'),
    to: to === undefined ? configuredStore() : storeAddress(to, '--to'),
  };
  if (JSON.stringify(ends.from) === JSON.stringify(ends.to)) {
    throw new CliError('usage', '--from and --to are the same store.');
  }
  return ends;
}

/** Every deployment has an admin token from its first start on. */
async function expectSomething(source: Stores): Promise<void> {
  if ((await source.access.tokens('admin')).length > 0) return;
  throw new CliError('usage', '--from: that store contains no deployment. Check its name.');
}

async function move(source: Stores, target: Stores, asJson: boolean): Promise<void> {
  const summary = await migrateStores(source, target, migrationProgress());
  if (asJson) {
    console.log(json(summary));
    return;
  }
  const rows = MIGRATED_KINDS.map((kind) => [
    kind,
    String(summary[kind].count),
    summary[kind].digest.slice(0, 16),
  ]);
  console.log(`\n${table(['moved and verified', 'records', 'digest'], rows)}`);
  console.log('\nStart the coordinators with ALPHAFLOPS_STORE or MONGODB_URI set to the new store.');
}
