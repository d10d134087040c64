import { randomBytes } from 'node:crypto';
import { access, chmod, constants, open, readFile, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { makeDirectory } from '@alphaflops/config';
import { IdSchema } from '@alphaflops/contracts';
import { z } from 'zod';
import { messageOf, WorkerError } from './error.js';

const CredentialsSchema = z.object({
  coordinatorUrl: z.url(),
  workerId: IdSchema,
  workerToken: z.string().min(1),
  /** Ed25519 private key, PKCS #8 in PEM; the coordinator has the public half. */
  signingKey: z.string().startsWith('-----BEGIN PRIVATE KEY-----'),
  /** Certificates in PEM to trust at the coordinator. */
  ca: z.string().nullable().default(null),
  /** Pin of the coordinator's public key, from the join token; with it no certificate is needed. */
  pin: z.string().nullable().default(null),
  name: z.string().min(1),
  executors: z.array(z.string()).min(1),
  processCommand: z.string().min(1).nullable().default(null),
  cudnnFind: z.boolean().default(false),
  tfjsNodeFolder: z.string().min(1).nullable().default(null),
  softwareAdapter: z.boolean().default(false),
});

/** What a worker keeps between its runs. The token opens the coordinator, the key signs: mode 0600, never logged. */
export type Credentials = z.infer<typeof CredentialsSchema>;

/** @throws WorkerError `no-credentials` when there is no file, `bad-credentials` when it cannot be used */
export async function readCredentials(file: string): Promise<Credentials> {
  const credentials = await readIfPresent(file);
  if (credentials === null) {
    throw new WorkerError(
      'no-credentials',
      `There are no credentials at ${file}. Enrol this machine first: alphaflops worker join URL --token TOKEN.`,
    );
  }
  return credentials;
}

/**
 * Sees to it, before a join token is spent, that the credentials can be kept.
 * @param force replace those of another coordinator, or what cannot be read
 * @throws WorkerError `other-coordinator`, or `bad-credentials` for a file or directory that cannot be used
 */
export async function prepareCredentials(
  file: string,
  coordinatorUrl: string,
  force: boolean,
): Promise<void> {
  const directory = dirname(file);
  try {
    // The mode counts for directories that are made here; one that was there keeps its own.
    makeDirectory(directory);
    await access(directory, constants.W_OK);
  } catch (cause) {
    throw new WorkerError('bad-credentials', `Cannot write in ${directory}: ${messageOf(cause)}.`, { cause });
  }
  if (force) return;
  const present = await readIfPresent(file);
  if (present !== null && present.coordinatorUrl !== coordinatorUrl) {
    throw new WorkerError(
      'other-coordinator',
      `${file} holds the credentials of ${present.workerId} at ${present.coordinatorUrl}. ` +
        'Name another file with --credentials, or replace them with --force.',
    );
  }
}

/** Writes beside the file and renames: a reader, or a crash, sees the old credentials or the new, never half of them. */
export async function writeCredentials(file: string, credentials: Credentials): Promise<void> {
  const beside = `${file}.${randomBytes(4).toString('hex')}.tmp`;
  try {
    const handle = await open(beside, 'wx', 0o600);
    try {
      await handle.writeFile(`${JSON.stringify(credentials, null, 2)}\n`);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await chmod(beside, 0o600);
    await rename(beside, file);
  } catch (error) {
    await rm(beside, { force: true });
    throw error;
  }
}

/** @throws WorkerError `bad-credentials` for a file that cannot be used */
export async function readIfPresent(file: string): Promise<Credentials | null> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw new WorkerError('bad-credentials', `Cannot read ${file}: ${messageOf(cause)}.`, { cause });
  }
  const content = parseJson(text);
  const parsed = CredentialsSchema.safeParse(content);
  if (parsed.success) return parsed.data;
  if (CredentialsSchema.omit({ signingKey: true }).safeParse(content).success) {
    throw new WorkerError(
      'bad-credentials',
      `${file} is of a worker that was enrolled before samples were signed. Enrol it anew: ` +
        'alphaflops worker join URL --token TOKEN --force.',
    );
  }
  // Names of fields only: the values are secrets.
  const where = parsed.error.issues.map((issue) => issue.path.join('.') || 'not a JSON object').join(', ');
  throw new WorkerError(
    'bad-credentials',
    `${file} does not hold the credentials of a worker (${where}). Enrol again with --force.`,
  );
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
