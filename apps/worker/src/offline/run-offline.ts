import {
  type DeviceDescription,
  type MeasureJob,
  type Provenance,
  WORKER_PROTOCOL_VERSION,
  errorText,
} from '@alphaflops/contracts';
import type { ExecutorHost } from '@alphaflops/executor';
import { deviceClassOf, deviceOf } from '@alphaflops/provenance';
import { Anchors, anchorSettings } from '../anchors.js';
import type { OfflineArguments } from '../arguments.js';
import { measuring, runBatch } from '../batch.js';
import { referenceOf } from '../executors.js';
import type { Log } from '../log.js';
import { openDevices } from '../own-devices.js';
import type { Performer } from '../performer.js';
import { probeNamed } from '../probe-named.js';
import { Turns } from '../turns.js';
import { wait } from '../wait.js';
import { identityAt, type OfflineIdentity } from './identity.js';
import { ResultsFolder } from './results-folder.js';
import { readWorkFile } from './work-file.js';

export interface OfflineEnvironment {
  readonly worker: Provenance['worker'];
  readonly libraryPath: readonly string[];
  readonly log: Log;
  readonly print: (text: string) => void;
  /** Fires when no further batch may begin. */
  readonly finish: AbortSignal;
  /** Fires when the current batches must be dropped. */
  readonly giveBack: AbortSignal;
}

interface OwnDevice {
  readonly description: DeviceDescription;
  readonly deviceId: string;
  readonly deviceClassId: string;
  readonly performer: Performer<'measure'>;
}

/**
 * Measures the batches of a work file that are for devices of this machine, and packs the results. Without a work file,
 * or with one for other devices, the results contain only the description of this node.
 * @returns exit code: 0 if all batches of the file for this machine are measured
 */
export async function runOffline(
  args: OfflineArguments,
  identityFile: string,
  environment: OfflineEnvironment,
): Promise<number> {
  const { worker, libraryPath, log, print, finish } = environment;
  const work = args.work === null ? null : await readWorkFile(args.work);
  const identity = await identityAt(identityFile);
  const machine = { ...args, libraryPath };
  const { devices: found, executors } = await probeNamed(args.executors, machine, worker);
  const references = executors.map((executor) => referenceOf(executor, machine));
  const { descriptions, hosts, close } = await openDevices(found, references, { wait, log, signal: finish });
  try {
    const devices = descriptions.map((description, at) =>
      ownDevice(description, hosts[at] as ExecutorHost, identity, log),
    );
    const results = await ResultsFolder.beside(args.out);
    const batches = (work?.batches ?? []).filter(({ targetId }) =>
      devices.some((device) => targetsOf(device).includes(targetId)),
    );
    const open = batches.filter((batch) => !results.has(batch));
    if (open.length < batches.length) log.info('going on', { measuredBefore: batches.length - open.length });
    const failed = await measureAll(open, devices, results, environment);
    if (open.length > 0) {
      const left = open.length;
      print(
        `Interrupted with ${left} of ${batches.length} batches left. Run the same command to continue.\n`,
      );
      return 1;
    }
    const { name, labels } = args;
    const { publicKey } = identity;
    const about = { version: worker.version, protocolVersion: WORKER_PROTOCOL_VERSION, publicKey };
    await results.pack({ name, labels, ...about, devices: [...descriptions] }, args.out, failed > 0);
    print(summaryOf(args, devices, batches, work?.batches ?? [], failed));
    return failed > 0 || (work !== null && batches.length === 0) ? 1 : 0;
  } finally {
    await close();
  }
}

/** Takes batches from `open` until it is empty; returns how many could not be measured. */
async function measureAll(
  open: MeasureJob[],
  devices: readonly OwnDevice[],
  results: ResultsFolder,
  { log, finish, giveBack }: OfflineEnvironment,
): Promise<number> {
  const turns = new Map(devices.map(({ description: { uuid } }) => [uuid, new Turns()]));
  let failed = 0;
  const serve = async (device: OwnDevice): Promise<void> => {
    const { performer, deviceId, description } = device;
    for (;;) {
      const at = open.findIndex(({ targetId }) => targetsOf(device).includes(targetId));
      const [batch] = at === -1 || finish.aborted ? [] : open.splice(at, 1);
      if (batch === undefined) return;
      const fields = { ...performer.describe(batch), device: deviceId };
      try {
        const { result, body, summary } = await (turns.get(description.uuid) as Turns).take(giveBack, () =>
          performer.perform(batch, { attempt: 1, signal: giveBack, takeNext: () => undefined }),
        );
        const { campaignId, targetId, batchIndex } = batch;
        const place = { campaignId, targetId, batchIndex };
        await results.add({ ...place, seal: result, body: Buffer.from(body).toString('base64') });
        log.info(performer.done, { ...fields, ...summary });
      } catch (error) {
        if (giveBack.aborted) {
          open.push(batch);
          return;
        }
        failed += 1;
        log.error(`not ${performer.done}: ${errorText(error)}`, fields);
      }
    }
  };
  await Promise.all(devices.map(serve));
  return failed;
}

function ownDevice(
  description: DeviceDescription,
  host: ExecutorHost,
  { workerId, signingKey }: OfflineIdentity,
  log: Log,
): OwnDevice {
  const now = new Date().toISOString();
  const deviceClassId = deviceClassOf(description, now).id;
  const deviceId = deviceOf(description, deviceClassId, workerId, now).id;
  const { kind, provenance } = description;
  const origin = { workerId, deviceId, provenance, signingKey };
  const settings = anchorSettings(kind, { anchors: null, anchorsEvery: null });
  const anchors = new Anchors({ settings, kind, origin, measurer: host, log });
  const performer = measuring(
    (job, context) => anchors.around(job, context.signal, () => runBatch(job, context, origin, host)),
    signingKey,
  );
  return { description, deviceId, deviceClassId, performer };
}

function targetsOf({ deviceId, deviceClassId }: OwnDevice): readonly string[] {
  return [deviceClassId, deviceId];
}

function summaryOf(
  { work, out }: OfflineArguments,
  devices: readonly OwnDevice[],
  batches: readonly MeasureJob[],
  all: readonly MeasureJob[],
  failed: number,
): string {
  const classes = [...new Set(devices.map(({ deviceClassId }) => deviceClassId))].join(', ');
  const next = `Carry ${out} to the coordinator: alphaflops campaign import-results ${out}\n`;
  if (work === null) return `This machine has ${classes}. ${next}`;
  if (batches.length === 0) {
    const targets = [...new Set(all.map(({ targetId }) => targetId))].join(', ');
    return (
      `${work} has no batch for this machine. It is for ${targets}; this machine has ${classes}.\n` +
      `The import of the results registers these device classes, so that you can create a campaign for them. ${next}`
    );
  }
  const done = `${batches.length - failed} of ${batches.length} batches are measured.`;
  return `${done}${failed > 0 ? ' The reasons of the others are above; the same command tries them again.' : ''} ${next}`;
}
