import { type Conditions, errorText } from '@alphaflops/contracts';
import type { DisturbanceWatch, EnergySource } from '@alphaflops/measure';
import { loadExecutor, type ExecutorReference } from './adapter-module.js';
import {
  loadEnergyMeters,
  meteredDevice,
  type EnergyMeter,
  type MeteredDevice,
  type OpenedMeter,
} from './energy-meter.js';
import type { Executor, ExecutorSession, ProbeResult } from './executor.js';
import { ExecutorError } from './error.js';
import { watchOf } from './host-machine.js';
import { measureSpec } from './measure-spec.js';
import { RequestSchema, type Reply, type Request } from './messages.js';
import { systemClock } from './system-clock.js';

/** The executor's process: one executor with at most one open device. */
export class ChildService {
  private executor: Executor | null = null;
  private session: ExecutorSession | null = null;
  /** Meter of the open device, or the reason why it has no meter. */
  private meter: EnergyMeter | string = 'no device is open';

  /** Watch of the open device; undefined if other programs cannot slow it down. */
  private disturbance: DisturbanceWatch | undefined;

  constructor(private readonly reference: ExecutorReference) {}

  /** Answers one message of the parent. Does not throw. */
  async answer(message: unknown): Promise<Reply> {
    try {
      return await this.serve(RequestSchema.parse(message));
    } catch (error) {
      const isBroken = error instanceof ExecutorError && error.code === 'broken-installation';
      const message = errorText(error);
      return { kind: 'failed', message, ...(isBroken && { isBroken }) };
    }
  }

  async dispose(): Promise<void> {
    await this.session?.dispose();
    this.session = null;
    if (typeof this.meter !== 'string') this.meter.close();
    this.meter = 'no device is open';
  }

  private opened(): ExecutorSession {
    if (this.session === null) throw new Error('a request came before a device was opened');
    return this.session;
  }

  private async serve(request: Request): Promise<Reply> {
    this.executor ??= await loadExecutor(this.reference);
    switch (request.kind) {
      case 'probe':
        return { kind: 'probed', result: await this.withMeters(await this.executor.probe()) };
      case 'open':
        await this.dispose();
        this.session = await this.executor.open(request.deviceUuid);
        this.meter = await this.meterOf(request.metered);
        this.disturbance = watchOf(this.session);
        return { kind: 'opened' };
      case 'conditions':
        return { kind: 'conditions', conditions: await this.conditions() };
      case 'measure': {
        const { spec, protocol, idlePowerW, undisturbedReferenceMs } = request;
        if (undisturbedReferenceMs !== null) this.disturbance?.know(undisturbedReferenceMs);
        const watched = { energy: this.energySource(), idlePowerW, disturbance: this.disturbance };
        const measurement = await measureSpec(this.opened(), spec, protocol, systemClock, watched);
        return {
          kind: 'measured',
          measurement,
          undisturbedReferenceMs: this.disturbance?.undisturbedMs ?? null,
        };
      }
    }
  }

  /** Conditions, with the power from the meter if the executor does not report it. */
  private async conditions(): Promise<Conditions> {
    const conditions = await this.opened().readConditions();
    if (conditions.powerW !== null || typeof this.meter === 'string') return conditions;
    return { ...conditions, powerW: this.meter.read().powerW };
  }

  private energySource(): EnergySource | string {
    const { meter } = this;
    if (typeof meter === 'string') return meter;
    return {
      name: meter.description.name,
      read: () => meter.read(),
      otherProcessorMs: () => meter.otherProcessorMs(),
    };
  }

  private async meterOf(device: MeteredDevice | null): Promise<EnergyMeter | string> {
    const opened = await this.openMeter(device);
    return opened.ok ? opened.meter : opened.reason;
  }

  private async openMeter(device: MeteredDevice | null): Promise<OpenedMeter> {
    const { energy } = this.reference;
    if (device === null || energy === undefined)
      return { ok: false, reason: 'no energy meter is set up here' };
    try {
      return (await loadEnergyMeters(energy)).openEnergyMeter(device, energy.settings);
    } catch (error) {
      return { ok: false, reason: errorText(error) };
    }
  }

  /** Each device with the meter that counts its energy, or the reason why it has no meter. */
  private async withMeters(result: ProbeResult): Promise<ProbeResult> {
    if (!result.ok || this.reference.energy === undefined) return result;
    const devices = [];
    for (const device of result.devices) {
      const opened = await this.openMeter(meteredDevice(device));
      const energyMeter = opened.ok
        ? opened.meter.description
        : ({ available: false, reason: opened.reason.slice(0, 600) } as const);
      if (opened.ok) opened.meter.close();
      devices.push({ ...device, provenance: { ...device.provenance, energyMeter } });
    }
    return { ok: true, devices };
  }
}
