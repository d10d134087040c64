import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type ApiClient, ApiError } from '@alphaflops/api-client';
import { childEnvironment } from '@alphaflops/config';
import type { Worker } from '@alphaflops/contracts';
import { z } from 'zod';
import { CliError } from '../error.js';
import { Child, type Ending } from './child.js';
import { Supervisor } from './supervisor.js';
import { programOf } from './programs.js';

export interface OwnWorkerOptions {
  readonly dataDirectory: string;
  /** Address of the coordinator for this machine. */
  readonly url: string;
  readonly api: ApiClient;
  /** Certificates to trust. */
  readonly caFiles: readonly string[];
  readonly say: (line: string) => void;
  /** Ends the enrolment. */
  readonly signal: AbortSignal;
}

/** The needed fields of the worker's credentials. The other fields do not change. */
const CredentialsSchema = z.looseObject({
  coordinatorUrl: z.url(),
  workerId: z.string(),
  // A worker that is older than signed samples is enrolled again.
  signingKey: z.string(),
});

const JOIN_TOKEN_S = 600;

/**
 * Keeps the worker of this machine running. If it is not enrolled yet, it enrols with a join token like any other
 * worker. Returns null and reports it if the worker was revoked. * * @throws CliError `failed` if the enrolment fails,
 * ApiError
 */
export async function startOwnWorker(options: OwnWorkerOptions): Promise<Supervisor | null> {
  const { dataDirectory, url, api, caFiles, say } = options;
  const file = join(dataDirectory, 'worker.json');
  const known = await knownWorker(file, api);
  if (known?.desiredState === 'revoked') {
    say(
      `The worker of this machine (${known.id}) was revoked, so no worker is started. To enrol it again, remove ${file}.`,
    );
    return null;
  }
  if (known === null) await enrol(file, options);
  else await pointTo(file, url);
  const launch = () => startWorker(['run', '--credentials', file], { dataDirectory, caFiles });
  const leftForGood = (ending: Ending) => reasonToStayAway(ending, file, api);
  return new Supervisor(launch(), { name: 'worker', launch, say, leftForGood });
}

function startWorker(
  args: readonly string[],
  { dataDirectory, caFiles }: Pick<OwnWorkerOptions, 'dataDirectory' | 'caFiles'>,
  input?: string,
): Child {
  return Child.start(programOf('worker'), args, {
    environment: childEnvironment({
      ALPHAFLOPS_DATA_DIR: dataDirectory,
      ALPHAFLOPS_CA: caFiles.join(':'),
    }),
    logFile: join(dataDirectory, 'worker.log'),
    ...(input !== undefined && { input }),
  });
}

/** The coordinator's record of the worker with these credentials; null if it must be enrolled. */
async function knownWorker(
  file: string,
  api: ApiClient,
): Promise<Pick<Worker, 'id' | 'desiredState'> | null> {
  const credentials = await readCredentials(file);
  if (credentials === null) return null;
  try {
    const { data } = await api.GET('/v1/workers/{id}', { params: { path: { id: credentials.workerId } } });
    return data ?? null;
  } catch (error) {
    // The credentials are old: the store was removed since then.
    if (error instanceof ApiError && error.status === 404) return null;
    throw error;
  }
}

async function readCredentials(file: string): Promise<z.infer<typeof CredentialsSchema> | null> {
  try {
    return CredentialsSchema.parse(JSON.parse(await readFile(file, 'utf8')));
  } catch {
    return null;
  }
}

async function enrol(file: string, options: OwnWorkerOptions): Promise<void> {
  const { url, api, signal } = options;
  const { data } = await api.POST('/v1/join-tokens', {
    body: { name: 'the machine of the coordinator', expiresInS: JOIN_TOKEN_S },
  });
  if (data === undefined) throw new CliError('failed', 'The coordinator did not make a join token.');
  const args = ['join', url, '--token', '-', '--credentials', file, '--force'];
  const joining = startWorker(args, options, data.token);
  const stop = (): void => {
    joining.signal('SIGTERM');
  };
  signal.addEventListener('abort', stop, { once: true });
  const { exitCode } = await joining.ended;
  signal.removeEventListener('abort', stop);
  signal.throwIfAborted();
  if (exitCode !== 0) {
    throw new CliError('failed', `This machine cannot be enrolled as a worker:\n${joining.logTail()}`);
  }
}

/** The coordinator of this data directory may use another address than at the enrolment of the worker. */
async function pointTo(file: string, url: string): Promise<void> {
  const credentials = await readCredentials(file);
  const coordinatorUrl = new URL(url).href;
  if (credentials === null || credentials.coordinatorUrl === coordinatorUrl) return;
  const content = JSON.stringify({ ...credentials, coordinatorUrl }, null, 2);
  await writeFile(`${file}.part`, `${content}\n`, { mode: 0o600 });
  await rename(`${file}.part`, file);
}

/** A worker that the operator drained or revoked leaves by itself, and is not started again. */
async function reasonToStayAway({ exitCode }: Ending, file: string, api: ApiClient): Promise<string | null> {
  const worker = await knownWorker(file, api).catch(() => null);
  if (worker?.desiredState === 'revoked') return `The worker ${worker.id} was revoked and has left.`;
  if (worker?.desiredState !== 'draining' || exitCode !== 0) return null;
  return (
    `The worker ${worker.id} was drained and has left. ` +
    `To use it again, run: alphaflops worker resume ${worker.id}, then start this program again.`
  );
}
