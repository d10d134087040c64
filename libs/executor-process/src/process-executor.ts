import { VERSION, errorText } from '@alphaflops/contracts';
import {
  describeHost,
  Executor,
  ExecutorError,
  type ExecutorSession,
  type ProbedDevice,
  type ProbeResult,
} from '@alphaflops/executor';
import { ProcessSession } from './process-session.js';
import { Program } from './program.js';
import { PROCESS_PROTOCOL, type Result } from './protocol.js';

/** Time limit for loading a framework and a driver. It is shorter than the limit for the start of an executor's process. */
const START_LIMIT_MS = 50_000;

/** The devices of an external program with the protocol `alphaflops.process/1`. */
export class ProcessExecutor extends Executor {
  readonly name = 'process';
  readonly version = VERSION;

  /** @param command the program and its arguments */
  constructor(
    private readonly command: readonly string[],
    private readonly requestLimitMs: number,
  ) {
    super();
  }

  async probe(): Promise<ProbeResult> {
    try {
      const { program, hello } = await this.start();
      await program.close();
      return { ok: true, devices: hello.devices.map((device) => this.describe(device, hello.program)) };
    } catch (error) {
      return { ok: false, reason: errorText(error) };
    }
  }

  async open(deviceUuid: string): Promise<ExecutorSession> {
    const { program, hello } = await this.start();
    try {
      if (!hello.devices.some(({ uuid }) => uuid === deviceUuid)) {
        const known = hello.devices.map(({ uuid }) => `"${uuid}"`).join(', ');
        const message = `the program has no device "${deviceUuid}", only ${known}`;
        throw new ExecutorError('unknown-device', message);
      }
      await program.ask('open', { device: deviceUuid }, START_LIMIT_MS);
      return new ProcessSession(program, hello);
    } catch (error) {
      await program.close();
      throw error;
    }
  }

  private async start(): Promise<{ program: Program; hello: Result<'hello'> }> {
    const program = new Program(this.command, this.requestLimitMs);
    try {
      const hello = await program.ask('hello', { protocol: PROCESS_PROTOCOL }, START_LIMIT_MS);
      return { program, hello };
    } catch (error) {
      await program.close();
      throw error;
    }
  }

  private describe(
    device: Result<'hello'>['devices'][number],
    program: Result<'hello'>['program'],
  ): ProbedDevice {
    const { uuid, sku, kind, memoryBytes, smCount, libraries, mathMode, details } = device;
    return {
      uuid,
      sku,
      kind,
      executor: this.name,
      memoryBytes,
      smCount,
      provenance: {
        schema: 'alphaflops.provenance/1',
        device: { ...details, uuid, sku },
        executor: { name: this.name, version: this.version },
        libraries: { ...libraries, program: `${program.name} ${program.version}` },
        mathMode,
        host: describeHost(),
      },
    };
  }
}
