import { randomBytes } from 'node:crypto';
import { type FileHandle, open, readFile, realpath, rename, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { makeDirectory } from '@alphaflops/config';
import { IdSchema, errorText } from '@alphaflops/contracts';
import { z } from 'zod';
import { WorkerError } from './error.js';
import { MachineLock } from './machine-lock.js';

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

/**
 * Data that a worker keeps between its runs. The token gives access to the coordinator, and the key signs. Mode 0600,
 * never logged.
 */
export type Credentials = z.infer<typeof CredentialsSchema>;

/** @throws WorkerError `no-credentials` if there is no file, `bad-credentials` if it cannot be used */
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
 * The sole right to run with these credentials: two workers with one identity would take each other's batches.
 * @throws WorkerError `credentials-in-use` with the holder's process id
 */
export async function lockCredentials(file: string): Promise<MachineLock> {
  return await MachineLock.take(`credentials/${await realpath(file)}`, (holderPid) => {
    const [who, how] =
      holderPid === null ? ['another process', 'it'] : [`process ${holderPid}`, `it (kill ${holderPid})`];
    return new WorkerError(
      'credentials-in-use',
      `A worker with the credentials ${file} is running already: ${who}. ` +
        `Stop ${how}, or enrol this one separately: alphaflops worker join … --credentials ANOTHER-FILE.`,
    );
  });
}

/** More than the size of credentials with the certificates of a coordinator. */
const RESERVED_BYTES = 64 * 1024;

/**
 * Reserves space on the disk for the credentials before a join token is used. The reservation is a file in the same
 * folder, which is later renamed. So a reader sees the complete old or the complete new credentials, also after a
 * crash.
 */
export class ReservedCredentials {
  private constructor(
    private readonly file: string,
    private readonly beside: string,
    private readonly handle: FileHandle,
  ) {}

  /** @throws WorkerError `bad-credentials` that names the file and the reason why it cannot be written */
  static async reserve(file: string): Promise<ReservedCredentials> {
    const beside = `${file}.${randomBytes(4).toString('hex')}.tmp`;
    let handle: FileHandle | null = null;
    try {
      // The mode applies to directories that are made here. An existing directory keeps its own.
      makeDirectory(dirname(file));
      if (await isDirectory(file)) throw new Error('it is a directory');
      handle = await open(beside, 'wx', 0o600);
      // Random bytes, because some file systems store zeros without using space.
      await handle.writeFile(randomBytes(RESERVED_BYTES));
      await handle.sync();
      return new ReservedCredentials(file, beside, handle);
    } catch (cause) {
      if (handle !== null) {
        await handle.close();
        await rm(beside);
      }
      throw new WorkerError(
        'bad-credentials',
        `Cannot store credentials in ${file}: ${errorText(cause).replace(/\.$/, '')}. ` +
          'Free some space there, or name another file with --credentials.',
        { cause },
      );
    }
  }

  /** Moves the credentials to their place. The reservation ends, also if this fails. */
  async fill(credentials: Credentials): Promise<void> {
    const content = Buffer.from(`${JSON.stringify(credentials, null, 2)}\n`);
    try {
      for (let at = 0; at < content.length;) {
        at += (await this.handle.write(content, at, content.length - at, at)).bytesWritten;
      }
      await this.handle.truncate(content.length);
      await this.handle.sync();
      await this.handle.close();
      await rename(this.beside, this.file);
    } catch (error) {
      await this.discard();
      throw error;
    }
  }

  async discard(): Promise<void> {
    await this.handle.close();
    await rm(this.beside, { force: true });
  }
}

/**
 * @throws WorkerError `other-coordinator` when the file holds credentials of another one, `bad-credentials` for a file
 *   that cannot be used
 */
export async function refuseOtherCoordinator(file: string, coordinatorUrl: string): Promise<void> {
  const present = await readIfPresent(file);
  if (present !== null && present.coordinatorUrl !== coordinatorUrl) {
    throw new WorkerError(
      'other-coordinator',
      `${file} holds the credentials of ${present.workerId} at ${present.coordinatorUrl}. ` +
        'Name another file with --credentials, or replace them with --force.',
    );
  }
}

/** @throws WorkerError `bad-credentials` that names the file and says why it cannot be written */
export async function writeCredentials(file: string, credentials: Credentials): Promise<void> {
  await (await ReservedCredentials.reserve(file)).fill(credentials);
}

/** @throws WorkerError `bad-credentials` for a file that cannot be used */
export async function readIfPresent(file: string): Promise<Credentials | null> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw new WorkerError('bad-credentials', `Cannot read ${file}: ${errorText(cause)}.`, { cause });
  }
  const content = parseJson(text);
  const parsed = CredentialsSchema.safeParse(content);
  if (parsed.success) return parsed.data;
  if (CredentialsSchema.omit({ signingKey: true }).safeParse(content).success) {
    throw new WorkerError(
      'bad-credentials',
      `${file} belongs to a worker that was enrolled before samples were signed. Enrol it again: ` +
        'alphaflops worker join URL --token TOKEN --force.',
    );
  }
  // Names of fields only: the values are secrets.
  const where = parsed.error.issues.map((issue) => issue.path.join('.') || 'not a JSON object').join(', ');
  throw new WorkerError(
    'bad-credentials',
    `${file} does not contain the credentials of a worker (${where}). Enrol again with --force.`,
  );
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

async function isDirectory(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw error;
  }
}
