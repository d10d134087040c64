import { type Provenance, WORKER_PROTOCOL_VERSION } from '@alphaflops/contracts';
import type { JoinArguments } from './arguments.js';
import { CoordinatorClient } from './coordinator-client.js';
import { prepareCredentials, writeCredentials } from './credentials.js';
import { referenceOf } from './executors.js';
import { probe } from './probe.js';

/** Enrols this machine and keeps what it is given in `file`. Nothing is spent before devices are found and `file` may be written. */
export async function join(
  args: JoinArguments,
  token: string,
  file: string,
  libraryPath: readonly string[],
  worker: Provenance['worker'],
  print: (text: string) => void,
): Promise<void> {
  const { coordinatorUrl, executors, processCommand, cudnnFind, labels, name } = args;
  await prepareCredentials(file, coordinatorUrl, args.force);
  const machine = { libraryPath, processCommand, cudnnFind };
  const references = executors.map((executor) => referenceOf(executor, machine));
  const { devices, table } = await probe(references, worker);
  print(`${table}\n`);
  const enrolment = await new CoordinatorClient(coordinatorUrl, token).enrol({
    name,
    version: worker.version,
    protocolVersion: WORKER_PROTOCOL_VERSION,
    labels,
    devices: [...devices],
  });
  await writeCredentials(file, {
    coordinatorUrl,
    workerId: enrolment.worker.id,
    workerToken: enrolment.workerToken,
    queuePassword: enrolment.queuePassword,
    name,
    executors: [...executors],
    processCommand,
    cudnnFind,
  });
  print(`Enrolled as ${enrolment.worker.id}. Its credentials are in ${file}.\n`);
}
