import {
  type DeviceDescription,
  type Provenance,
  type Session,
  WORKER_PROTOCOL_VERSION,
  errorText,
} from '@alphaflops/contracts';
import type { CoordinatorClient } from './coordinator-client.js';
import type { Credentials } from './credentials.js';
import { WorkerError } from './error.js';
import type { Log } from './log.js';
import { retryMs, type Wait } from './wait.js';

/** One device of this worker, and the targets whose queues it serves. */
export interface AssignedDevice {
  readonly description: DeviceDescription;
  readonly deviceId: string;
  readonly deviceClassId: string;
}

export interface OpenedSession {
  readonly session: Session;
  readonly devices: readonly AssignedDevice[];
}

/**
 * Reports the current devices to the coordinator. Waits without a limit for a coordinator that does not answer.
 * @returns null when the signal fired first
 * @throws WorkerError `refused`, `rejected`, `bad-answer`
 */
export async function openSession(
  client: Pick<CoordinatorClient, 'openSession'>,
  credentials: Credentials,
  descriptions: readonly DeviceDescription[],
  worker: Provenance['worker'],
  environment: { wait: Wait; log: Log; signal: AbortSignal },
): Promise<OpenedSession | null> {
  const request = {
    version: worker.version,
    protocolVersion: WORKER_PROTOCOL_VERSION,
    devices: [...descriptions],
  };
  const open = () => client.openSession(credentials.workerId, request, environment.signal);
  const session = await untilReached(open, environment);
  return session === null ? null : { session, devices: assign(descriptions, session) };
}

function assign(descriptions: readonly DeviceDescription[], session: Session): AssignedDevice[] {
  return descriptions.map((description) => {
    const { uuid, executor } = description;
    const found = session.devices.find((device) => device.uuid === uuid && device.executor === executor);
    if (found === undefined) {
      throw new WorkerError(
        'bad-answer',
        `The coordinator did not return an id for the device ${executor} ${uuid}.`,
      );
    }
    const { deviceId, deviceClassId } = found;
    return { description, deviceId, deviceClassId };
  });
}

/** Tries again until it gets an answer, and logs one line at the beginning and one at the end. */
async function untilReached<T>(
  attempt: () => Promise<T>,
  { wait, log, signal }: { wait: Wait; log: Log; signal: AbortSignal },
): Promise<T | null> {
  const isLeaving = () => signal.aborted;
  for (let failures = 0; !isLeaving();) {
    try {
      const answer = await attempt();
      if (failures > 0) log.info('The coordinator answers now.', { tries: failures + 1 });
      return answer;
    } catch (error) {
      if (!(error instanceof WorkerError && error.code === 'unreachable')) throw error;
      if (isLeaving()) break;
      failures += 1;
      if (failures === 1) log.warn(`${errorText(error)} The worker tries again until it does.`);
      await wait(retryMs(failures), signal);
    }
  }
  return null;
}
