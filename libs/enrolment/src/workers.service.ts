import {
  type DeviceDescription,
  type Enrolment,
  type EnrolmentRequest,
  type Heartbeat,
  type HeartbeatRequest,
  type Page,
  type PageQuery,
  type Session,
  type SessionRequest,
  VERSION,
  WORKER_PROTOCOL_VERSION,
  type Worker,
  type WorkerDesiredState,
} from '@alphaflops/contracts';
import { ApiProblem, notFound } from '@alphaflops/http/problem';
import { LeaseDesk } from '@alphaflops/queue';
import { deviceClassOf, deviceOf, provenanceId, workerIdOf } from '@alphaflops/provenance';
import { AccessStore, FleetStore, presenceOf, type WorkerRecord } from '@alphaflops/store';
import { Injectable } from '@nestjs/common';
import { EnrolmentSettings } from './enrolment-settings.js';
import { TokensService } from './tokens.service.js';

/** Workers: their enrolment, their desired state, and their activity. */
@Injectable()
export class WorkersService {
  constructor(
    private readonly fleet: FleetStore,
    private readonly access: AccessStore,
    private readonly tokens: TokensService,
    private readonly desk: LeaseDesk,
    private readonly settings: EnrolmentSettings,
  ) {}

  /** @param joinHash sha-256 of the join token; this uses the token once */
  async enrol(joinHash: string, request: EnrolmentRequest): Promise<Enrolment> {
    checkProtocolVersion(request.protocolVersion);
    const id = workerIdOf(request.publicKey);
    if ((await this.fleet.worker(id)) !== null) {
      throw new ApiProblem(409, 'key-in-use', `The signing key belongs to ${id}. Enrol with a new key.`);
    }
    const now = new Date().toISOString();
    const used = await this.access.consumeToken('join', joinHash, now);
    if (!used.ok) {
      throw new ApiProblem(
        401,
        `${used.reason}-token`,
        `The join token is ${used.reason.replace('-', ' ')}. Make a new one: alphaflops worker token.`,
      );
    }
    const labels = { ...request.labels, ...used.token.labels };
    const stored = await this.storeWithDevices({ ...newWorker(request, now), labels }, request.devices, now);
    const workerToken = await this.tokens.createWorkerToken(id, request.name);
    return { worker: this.present(stored), workerToken };
  }

  /**
   * Registers a node without a network, or updates its devices. The node gets no token: an operator carries its results
   * to the coordinator.
   */
  async putOffline(request: EnrolmentRequest): Promise<Worker> {
    checkProtocolVersion(request.protocolVersion);
    const now = new Date().toISOString();
    const fresh = newWorker(request, now);
    const known = await this.fleet.worker(fresh.id);
    if (known?.desiredState === 'revoked') {
      throw new ApiProblem(409, 'worker-revoked', `${fresh.id} was revoked: ${known.stateReason ?? ''}.`);
    }
    const { name, labels, version } = request;
    const worker = known === null ? fresh : { ...known, name, labels, version };
    return this.present(await this.storeWithDevices(worker, request.devices, now));
  }

  /** A worker has started: its devices and library versions may have changed since it enrolled. */
  async openSession(id: string, request: SessionRequest): Promise<Session> {
    checkProtocolVersion(request.protocolVersion);
    const worker = await this.record(id);
    // A worker from an older version does not have this field.
    if (!worker.publicKey) {
      throw new ApiProblem(
        409,
        'no-signing-key',
        'This worker was enrolled before samples were signed. Enrol it again: alphaflops worker join URL --token TOKEN --force.',
      );
    }
    const now = new Date().toISOString();
    const stored = await this.storeWithDevices(
      { ...worker, version: request.version, activity: 'idle', lastHeartbeatAt: now },
      request.devices,
      now,
    );
    return {
      worker: this.present(stored),
      devices: request.devices.map((description) => {
        const deviceClass = deviceClassOf(description, now);
        const { uuid, executor } = description;
        const deviceId = deviceOf(description, deviceClass.id, id, now).id;
        return { uuid, executor, deviceId, deviceClassId: deviceClass.id };
      }),
      heartbeatS: this.settings.heartbeatS,
    };
  }

  async heartbeat(id: string, request: HeartbeatRequest): Promise<Heartbeat> {
    const worker = await this.fleet.patchWorker(id, {
      lastHeartbeatAt: new Date().toISOString(),
      activity: request.activity,
      disturbance: request.disturbance ?? null,
    });
    if (worker.desiredState !== 'revoked' && request.protocolVersion !== WORKER_PROTOCOL_VERSION) {
      // Every version understands this state: the worker finishes its batch, ends, and is refused at its next start.
      return { desiredState: 'draining', reason: upgradeAdvice(request.protocolVersion) };
    }
    return { desiredState: worker.desiredState, reason: worker.stateReason };
  }

  async get(id: string): Promise<Worker> {
    return this.present(await this.record(id));
  }

  async list(page: PageQuery): Promise<Page<Worker>> {
    const { items, nextCursor } = await this.fleet.workers(page);
    return { items: items.map((worker) => this.present(worker)), nextCursor };
  }

  /** Pause, drain, resume or revoke. Revoking is final: its tokens are refused at once. */
  async setDesiredState(id: string, desiredState: WorkerDesiredState, reason: string): Promise<Worker> {
    const worker = await this.record(id);
    if (worker.desiredState === 'revoked' && desiredState !== 'revoked') {
      throw new ApiProblem(409, 'worker-revoked', 'A revoked worker stays revoked. Enrol it again.');
    }
    if (desiredState === 'revoked') {
      await this.access.revokeTokens({ workerId: id }, new Date().toISOString());
    }
    const changed = await this.fleet.patchWorker(id, { desiredState, stateReason: reason });
    // A worker that waits for work gets the state at once, others with their next request. Redis may be unreachable.
    if (desiredState !== 'active') this.desk.dismiss(id).catch(() => undefined);
    return this.present(changed);
  }

  private async record(id: string): Promise<WorkerRecord> {
    const worker = await this.fleet.worker(id);
    if (worker === null) throw notFound('worker', id);
    return worker;
  }

  private async storeWithDevices(
    worker: WorkerRecord,
    descriptions: readonly DeviceDescription[],
    now: string,
  ): Promise<WorkerRecord> {
    const classes = new Map(
      descriptions.map((description) => {
        const deviceClass = deviceClassOf(description, now);
        return [deviceClass.id, deviceClass];
      }),
    );
    for (const id of classes.keys()) {
      const known = await this.fleet.deviceClass(id);
      if (known !== null) classes.set(id, known);
    }
    const devices = await Promise.all(
      descriptions.map(async (description) => {
        const device = deviceOf(description, deviceClassOf(description, now).id, worker.id, now);
        const known = await this.fleet.device(device.id);
        return { ...device, createdAt: known?.createdAt ?? now };
      }),
    );
    const provenance = new Map(descriptions.map((d) => [provenanceId(d.provenance), d.provenance]));
    const withDevices = { ...worker, deviceIds: devices.map((device) => device.id) };
    return await this.fleet.putWorker(withDevices, devices, [...classes.values()], provenance);
  }

  private present(worker: WorkerRecord): Worker {
    const presence = presenceOf(worker, this.settings, Date.now());
    return { ...worker, publicKey: worker.publicKey ?? null, presence };
  }
}

function newWorker({ name, labels, version, publicKey }: EnrolmentRequest, enrolledAt: string): WorkerRecord {
  return {
    id: workerIdOf(publicKey),
    ...{ name, labels, version, publicKey, enrolledAt },
    deviceIds: [],
    desiredState: 'active',
    stateReason: null,
    activity: 'stopped',
    lastHeartbeatAt: null,
  };
}

function checkProtocolVersion(version: number): void {
  if (version !== WORKER_PROTOCOL_VERSION) {
    throw new ApiProblem(426, 'upgrade-worker', upgradeAdvice(version));
  }
}

function upgradeAdvice(version: number | undefined): string {
  return (
    `This coordinator (${VERSION}) uses worker protocol ${WORKER_PROTOCOL_VERSION}, but the worker uses ` +
    `${version ?? 'an older one'}. Install the same version of alphaflops on both.`
  );
}
