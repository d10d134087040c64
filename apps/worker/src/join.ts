import { generateKeyPairSync } from 'node:crypto';
import { type Config, readPem } from '@alphaflops/config';
import { partsOfJoinToken, type Provenance, WORKER_PROTOCOL_VERSION } from '@alphaflops/contracts';
import type { JoinArguments } from './arguments.js';
import { CoordinatorClient } from './coordinator-client.js';
import { refuseOtherCoordinator, ReservedCredentials } from './credentials.js';
import { programName } from './install/installation.js';
import { machineReport, nvidiaDriver } from './machine-report.js';
import { probeNamed } from './probe-named.js';
import { certificateWith, fetchFrom } from './trust.js';

/**
 * Enrols this machine and keeps its credentials in `file`. The token is used only if devices were found and there is
 * space for the credentials.
 * @param token as pasted, with the pin of the coordinator's key if it has one
 */
export async function join(
  args: JoinArguments,
  token: string,
  file: string,
  { libraryPath, caFiles, proxies }: Pick<Config, 'libraryPath' | 'caFiles' | 'proxies'>,
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
  const { secret, pin } = partsOfJoinToken(token);
  if (!args.force) await refuseOtherCoordinator(file, coordinatorUrl);
  const machine = { ...args, libraryPath };
  const { devices, executors: working, probed } = await probeNamed(executors, machine, worker);
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  const fetchBy = fetchFrom({ coordinatorUrl, ca, pin }, proxies);
  const trusted = ca ?? (pin === null ? null : await certificateWith(pin, coordinatorUrl, proxies));
  const reserved = await ReservedCredentials.reserve(file);
  const enrolment = await new CoordinatorClient(coordinatorUrl, secret, fetchBy)
    .enrol({
      name,
      version: worker.version,
      protocolVersion: WORKER_PROTOCOL_VERSION,
      publicKey: publicKey.export({ format: 'jwk' }).x ?? '',
      labels,
      devices: [...devices],
    })
    .catch(async (error: unknown) => {
      await reserved.discard();
      throw error;
    });
  await reserved.fill({
    coordinatorUrl,
    workerId: enrolment.worker.id,
    workerToken: enrolment.workerToken,
    signingKey: privateKey.export({ format: 'pem', type: 'pkcs8' }).toString(),
    ca: trusted,
    pin,
    name,
    // Keep all named executors, also those that do not work yet.
    executors: [...(executors ?? working)],
    processCommand,
    cudnnFind,
    tfjsNodeFolder,
    softwareAdapter,
  });
  print(`Enrolled as ${enrolment.worker.id} (${name}). Its credentials are in ${file}.\n`);
  print(machineReport(probed, nvidiaDriver(), `${programName()} add cudnn`));
}
