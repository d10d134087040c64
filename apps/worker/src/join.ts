import { generateKeyPairSync } from 'node:crypto';
import { type Config, readPem } from '@alphaflops/config';
import { type Provenance, WORKER_PROTOCOL_VERSION } from '@alphaflops/contracts';
import type { JoinArguments } from './arguments.js';
import { CoordinatorClient, fetchTrusting } from './coordinator-client.js';
import { prepareCredentials, writeCredentials } from './credentials.js';
import { probeNamed } from './probe-named.js';

/** Enrols this machine and keeps what it is given in `file`. Nothing is spent before devices are found and `file` may be written. */
export async function join(
  args: JoinArguments,
  token: string,
  file: string,
  { libraryPath, caFiles }: Pick<Config, 'libraryPath' | 'caFiles'>,
  worker: Provenance['worker'],
  print: (text: string) => void,
): Promise<void> {
  const {
    coordinatorUrl,
    executors,
    processCommand,
    cudnnFind,
    tfjsNodeFolder,
    softwareAdapter,
    labels,
    name,
  } = args;
  const ca = readPem(args.ca === null ? caFiles : [args.ca]);
  await prepareCredentials(file, coordinatorUrl, args.force);
  const machine = { ...args, libraryPath };
  const { devices, executors: working, table } = await probeNamed(executors, machine, worker);
  print(`${table}\n`);
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  const enrolment = await new CoordinatorClient(coordinatorUrl, token, fetchTrusting(ca)).enrol({
    name,
    version: worker.version,
    protocolVersion: WORKER_PROTOCOL_VERSION,
    publicKey: publicKey.export({ format: 'jwk' }).x ?? '',
    labels,
    devices: [...devices],
  });
  await writeCredentials(file, {
    coordinatorUrl,
    workerId: enrolment.worker.id,
    workerToken: enrolment.workerToken,
    queuePassword: enrolment.queuePassword,
    signingKey: privateKey.export({ format: 'pem', type: 'pkcs8' }).toString(),
    ca,
    name,
    // What was named is kept, also what does not work yet.
    executors: [...(executors ?? working)],
    processCommand,
    cudnnFind,
    tfjsNodeFolder,
    softwareAdapter,
  });
  print(`Enrolled as ${enrolment.worker.id}. Its credentials are in ${file}.\n`);
}
