import type { WorkerDesiredState } from '@alphaflops/contracts';
import type { Departure, DeviceWork } from './device-work.js';
import type { Log } from './log.js';

/** Controls all devices of this worker: they take batches, stop, or leave, as the operator and the signals request. */
export class Agent {
  /** The exit code, after all devices have stopped. */
  readonly left: Promise<number>;
  private resolveLeft: (exitCode: number) => void = () => undefined;
  private exitCode: number | null = null;

  constructor(
    private readonly devices: readonly Pick<DeviceWork, 'begin' | 'end' | 'isMeasuring'>[],
    private readonly log: Log,
  ) {
    this.left = new Promise((resolve) => (this.resolveLeft = resolve));
  }

  get activity(): 'idle' | 'measuring' {
    return this.devices.some((device) => device.isMeasuring) ? 'measuring' : 'idle';
  }

  setDesiredState(state: WorkerDesiredState, reason: string | null): void {
    if (this.exitCode !== null && state !== 'revoked') return;
    const because = reason === null ? '' : ` (${reason})`;
    switch (state) {
      case 'active':
        this.log.info(`taking batches${because}`);
        for (const device of this.devices) device.begin();
        break;
      case 'paused':
        this.log.info(`paused by the operator${because}; no new batch is taken`);
        for (const device of this.devices) void device.end('finish');
        break;
      case 'draining':
        this.log.info(`drained by the operator${because}; leaving after the current batch`);
        this.leave('finish', 0);
        break;
      case 'revoked':
        this.log.error(`This worker is revoked${because}. Enrol it again to use it.`);
        this.leave('give-back', 1);
        break;
    }
  }

  /** May be called again, to leave faster; the exit code of revocation stays. */
  leave(how: Departure, exitCode: number): void {
    this.exitCode = Math.max(this.exitCode ?? 0, exitCode);
    void Promise.all(this.devices.map((device) => device.end(how))).then(() => {
      this.resolveLeft(this.exitCode ?? 0);
    });
  }
}
