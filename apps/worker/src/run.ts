import { createPrivateKey, type KeyObject } from 'node:crypto';
import { type DeviceDescription, type Provenance, WORKER_PROTOCOL_VERSION } from '@alphaflops/contracts';
import type { ExecutorHost } from '@alphaflops/executor';
import type { AnchorSettings } from '@alphaflops/measure';
import { Agent } from './agent.js';
import { Anchors, anchorSettings } from './anchors.js';
import { measuring, runBatch, type SpecMeasurer } from './batch.js';
import { CoordinatorClient } from './coordinator-client.js';
import type { Credentials } from './credentials.js';
import { DeviceWork } from './device-work.js';
import { Disturbed } from './disturbed.js';
import { type MachineSettings, referenceOf } from './executors.js';
import { Heartbeat } from './heartbeat.js';
import { labelling, type LabelSettings } from './label-kernels.js';
import { Leases } from './leases.js';
import type { Log } from './log.js';
import { openDevices } from './own-devices.js';
import { probe } from './probe.js';
import { ReferenceTimes } from './reference-times.js';
import { type AssignedDevice, openSession } from './session.js';
import { Stay, type StayOptions } from './stay.js';
import { Turns } from './turns.js';
import { wait } from './wait.js';

export interface RunEnvironment {
  readonly worker: Provenance['worker'];
  /** Reaches the coordinator and recognizes it. */
  readonly fetch: typeof fetch;
  /** Folders with libraries, from the environment of this machine. */
  readonly libraryPath: readonly string[];
  /** Anchors, and batches between their runs; null: the default for the kind of device. */
  readonly anchors: number | null;
  readonly anchorsEvery: number | null;
  /** The file with the undisturbed times of the reference convolutions of its devices. */
  readonly referenceTimesFile: string;
  /** When the worker leaves. */
  readonly stay: StayOptions;
  readonly log: Log;
  /** Fires when the current batch must be the last. */
  readonly finish: AbortSignal;
  /** Fires when the current batch must be returned. */
  readonly giveBack: AbortSignal;
}

/** Measures until the operator or a signal ends it; returns the exit code. */
export async function run(credentials: Credentials, environment: RunEnvironment): Promise<number> {
  const { worker, libraryPath, finish, giveBack } = environment;
  const log = environment.log.with({ worker: credentials.workerId });
  const machine = { ...credentials, libraryPath };
  const references = credentials.executors.map((executor) => referenceOf(executor, machine));
  const { devices: found } = await probe(references, worker);
  const { descriptions, hosts, close } = await openDevices(found, references, { wait, log, signal: finish });
  const client = new CoordinatorClient(
    credentials.coordinatorUrl,
    credentials.workerToken,
    environment.fetch,
  );
  const opened = await openSession(client, credentials, descriptions, worker, { wait, log, signal: finish });
  if (opened === null) {
    await close();
    return 0;
  }
  const { session, devices } = opened;

  const referenceTimes = await ReferenceTimes.read(environment.referenceTimesFile, log);
  devices.forEach(({ deviceClassId, deviceId }, at) => {
    (hosts[at] as ExecutorHost).undisturbedReferenceMs = referenceTimes.of(deviceClassId, deviceId);
  });

  const signingKey = createPrivateKey(credentials.signingKey);
  const stay = new Stay(environment.stay);
  const turns = new Map(descriptions.map(({ uuid }) => [uuid, new Turns()]));
  const leases = new Leases({
    client,
    workerId: credentials.workerId,
    onTrouble: () => {
      heartbeat.beatNow();
    },
    wait,
    log,
  });
  const measurers = devices.map(
    ({ deviceId }, at) => new Disturbed(hosts[at] as ExecutorHost, log.with({ device: deviceId })),
  );
  const works = devices.map((device, at) =>
    workOf(device, measurers[at] as Disturbed, {
      workerId: credentials.workerId,
      signingKey,
      leases,
      onBatch: async () => {
        stay.batchDone();
        const { undisturbedReferenceMs } = hosts[at] as ExecutorHost;
        await referenceTimes.keep(device.deviceClassId, device.deviceId, undisturbedReferenceMs);
      },
      turns: turns.get(device.description.uuid) as Turns,
      labels: labelSettings(device.description, machine),
      log: log.with({ device: device.deviceId }),
      anchors: anchorSettings(device.description.kind, environment),
    }),
  );
  const agent = new Agent(works, log);
  const heartbeat = new Heartbeat({
    intervalMs: session.heartbeatS * 1000,
    desiredState: session.worker.desiredState,
    send: (activity, signal) => {
      const disturbance = measurers.find(({ reason }) => reason !== null)?.reason ?? null;
      const beat = { activity, disturbance, protocolVersion: WORKER_PROTOCOL_VERSION };
      return client.heartbeat(credentials.workerId, beat, signal);
    },
    activity: () => agent.activity,
    onDesiredState: (state, reason) => {
      agent.setDesiredState(state, reason);
    },
    wait,
    log,
  });
  whenFired(finish, () => {
    if (giveBack.aborted) return;
    log.info('leaving after the current batch');
    agent.leave('stop', 0);
  });
  whenFired(stay.over, () => {
    log.info(`leaving after the current batch: ${String(stay.over.reason)}`);
    agent.leave('finish', 0);
  });
  stay.begin(() => agent.activity === 'measuring');
  whenFired(giveBack, () => {
    log.info('leaving at once');
    agent.leave('give-back', 0);
  });
  agent.setDesiredState(session.worker.desiredState, session.worker.stateReason);
  const beating = heartbeat.run();

  const exitCode = await agent.left;
  stay.close();
  leases.close();
  await Promise.all([close(), heartbeat.stop()]);
  await beating;
  log.info('left');
  return exitCode;
}

interface WorkOptions {
  readonly workerId: string;
  readonly signingKey: KeyObject;
  readonly leases: Leases;
  /** A batch is measured. */
  readonly onBatch: () => Promise<void>;
  readonly turns: Turns;
  /** Null for a device whose kernels cannot be labelled. */
  readonly labels: LabelSettings | null;
  readonly log: Log;
  readonly anchors: AnchorSettings;
}

/** Executors of cuDNN that let its heuristics choose. */
const LABELLED: readonly string[] = ['cudnn', 'cudnn-fp32'];

function labelSettings(
  { executor, cudnnDeviceProperties: deviceProperties }: DeviceDescription,
  { libraryPath, cudnnFind }: MachineSettings,
): LabelSettings | null {
  if (!LABELLED.includes(executor) || cudnnFind || deviceProperties === undefined) return null;
  return { deviceProperties, libraryPath };
}

function workOf(
  { deviceId, deviceClassId, description: { provenance, kind } }: AssignedDevice,
  measurer: SpecMeasurer,
  { workerId, signingKey, leases, onBatch, turns, labels, log, anchors: settings }: WorkOptions,
): DeviceWork {
  const origin = { workerId, deviceId, provenance, signingKey };
  const anchors = new Anchors({ settings, kind, origin, measurer, log });
  return new DeviceWork({
    targetIds: [deviceClassId, deviceId],
    performers: {
      measure: measuring(
        (job, context) =>
          anchors
            .around(job, context.signal, () => runBatch(job, context, origin, measurer))
            .finally(onBatch),
        signingKey,
      ),
      ...(labels && { 'label-kernels': labelling(origin, labels) }),
    },
    leases,
    turns,
    wait,
    log,
  });
}

function whenFired(signal: AbortSignal, then: () => void): void {
  if (signal.aborted) then();
  else signal.addEventListener('abort', then, { once: true });
}
