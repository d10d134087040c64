import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import writeFileAtomic from 'write-file-atomic';
import { z } from 'zod';
import { CliError } from './error.js';

const CliFileSchema = z.object({
  url: z.url(),
  token: z.string().min(1),
  /** File with the coordinator's own certificate. */
  ca: z.string().optional(),
});

/** The coordinator of a data directory and its admin token, for the commands on the same machine. Mode 0600. */
export type CliFile = z.infer<typeof CliFileSchema>;

export function cliFilePath(dataDirectory: string): string {
  return join(dataDirectory, 'cli.json');
}

/** @throws CliError `failed` if the file exists and cannot be used */
export function readCliFile(dataDirectory: string): CliFile | null {
  const path = cliFilePath(dataDirectory);
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw new CliError('failed', `Cannot read ${path}.`, { cause });
  }
  try {
    return CliFileSchema.parse(JSON.parse(text));
  } catch (cause) {
    throw new CliError(
      'failed',
      `${path} does not contain an address and a token. Remove it, and run "alphaflops up --new-admin-token".`,
      { cause },
    );
  }
}

export async function writeCliFile(dataDirectory: string, content: CliFile): Promise<void> {
  const text = `${JSON.stringify(content, null, 2)}\n`;
  await writeFileAtomic(cliFilePath(dataDirectory), text, { mode: 0o600 });
}
