import { PublicKeySchema } from '@alphaflops/contracts';
import type { Command } from 'commander';
import { z } from 'zod';
import { rowProgress } from '../../datasets/progress.js';
import { verifyDirectory } from '../../datasets/verify.js';
import { CliError } from '../../error.js';
import { readText } from '../../files.js';
import { json, table } from '../../tables.js';

interface VerifyOptions {
  keys?: string;
  refit?: true;
  json?: true;
}

const KeysSchema = z.array(z.object({ id: z.string(), publicKey: PublicKeySchema.nullable() }));

export function datasetVerifyCommand(command: Command): void {
  command
    .argument('<dir>', 'a directory from dataset export')
    .option('--keys <file>', 'trusted public keys of workers, instead of those in the directory')
    .option('--refit', 'fit the models of the data set again and compare them')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      '\nNo server is needed. The keys in a directory prove only that the author of the directory signed its rows. To verify the\n' +
        'author, give --keys with keys from the deployment itself, a JSON array of {"id", "publicKey"}. Exit code 1: something is\n' +
        'wrong.\n' +
        '\nExample:\n  alphaflops dataset verify h100 --refit',
    )
    .action(verify);
}

async function verify(directory: string, { keys, refit, json: asJson }: VerifyOptions): Promise<void> {
  const progress = rowProgress();
  const { findings, ...found } = await verifyDirectory(directory, {
    ...(keys !== undefined && { keys: await keysIn(keys) }),
    refit: refit === true,
    onProgress: progress.update,
  });
  progress.stop();
  const { findings: listed, more } = findings.all;
  if (asJson === true) console.log(json({ ...found, findings: listed, more }));
  else {
    if (listed.length > 0) {
      const rows = listed.map((one) => [
        one.code,
        one.file,
        one.line === null ? '' : String(one.line),
        one.column ?? '',
        one.message,
      ]);
      console.log(table(['finding', 'file', 'line', 'column', 'what is wrong'], rows));
      if (more > 0) console.log(`… and ${more} more of these kinds.`);
      console.log('');
    }
    const checked =
      refit === true ? `${found.models} models fitted again` : `input of ${found.models} models`;
    console.log(`${found.rows} rows, ${found.signedRows} of them signed, ${checked}; id ${found.id}`);
  }
  if (findings.count > 0) {
    throw new CliError('failed', `${directory} has problems: ${findings.count} findings.`);
  }
}

async function keysIn(path: string): Promise<Map<string, string>> {
  try {
    const workers = KeysSchema.parse(JSON.parse(await readText(path)));
    return new Map(workers.flatMap(({ id, publicKey }) => (publicKey === null ? [] : [[id, publicKey]])));
  } catch (cause) {
    if (cause instanceof CliError) throw cause;
    throw new CliError('bad-input', `${path} is not a JSON array of {"id", "publicKey"}.`, { cause });
  }
}
