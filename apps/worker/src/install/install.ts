import { readPem, type Config } from '@alphaflops/config';
import { partsOfJoinToken, type Provenance, WORKER_PROTOCOL_VERSION } from '@alphaflops/contracts';
import type { InstallArguments } from '../arguments.js';
import { CoordinatorClient } from '../coordinator-client.js';
import { type Credentials, readIfPresent, writeCredentials } from '../credentials.js';
import { WorkerError } from '../error.js';
import { join } from '../join.js';
import { fetchFrom } from '../trust.js';
import { Installation } from './installation.js';
import { installService } from './service.js';

/**
 * The steps of join.sh after it has unpacked the bundle. This bundle becomes the active one. The machine joins, unless
 * it has joined this coordinator before. Then the worker is kept running.
 * @param token as pasted
 * @returns whether the caller must run the worker
 * @throws WorkerError as `join`, and `usage` when this program was not unpacked by join.sh
 */
export async function install(
  args: InstallArguments,
  token: string,
  file: string,
  config: Config,
  worker: Provenance['worker'],
  print: (text: string) => void,
): Promise<boolean> {
  const { installation, bundle } = Installation.own();
  installation.use(bundle);
  const kept = await keptCredentials(args, token, file, config);
  if (kept === null) await join({ ...args.join, force: true }, token, file, config, worker, print);
  else {
    await writeCredentials(file, kept);
    print(
      `This machine is enrolled as ${kept.workerId}; its credentials stay. Worker ${bundle.version} is in use.\n`,
    );
  }
  installation.removeUnused();
  if (args.service) {
    installService([installation.program, 'run', '--credentials', file, ...args.runArguments.words], print);
    return false;
  }
  const start = `${installation.program} run`;
  print(args.run ? `To start it again later: ${start}\n` : `Start it with: ${start}\n`);
  return args.run;
}

/** Null when the coordinator knows none of them any more. A new pin replaces the old one. */
async function keptCredentials(
  { join: { coordinatorUrl, ca } }: InstallArguments,
  token: string,
  file: string,
  { caFiles, proxies }: Config,
): Promise<Credentials | null> {
  const present = await readIfPresent(file).catch(() => null);
  if (present?.coordinatorUrl !== coordinatorUrl) return null;
  const { pin } = partsOfJoinToken(token);
  const credentials = { ...present, pin, ca: readPem(ca === null ? caFiles : [ca]) ?? present.ca };
  const client = new CoordinatorClient(
    coordinatorUrl,
    credentials.workerToken,
    fetchFrom(credentials, proxies),
  );
  try {
    const beat = { activity: 'stopped', protocolVersion: WORKER_PROTOCOL_VERSION } as const;
    const { desiredState } = await client.heartbeat(credentials.workerId, beat, AbortSignal.timeout(15_000));
    return desiredState === 'revoked' ? null : credentials;
  } catch (error) {
    if (error instanceof WorkerError && error.code === 'refused') return null;
    throw error;
  }
}
