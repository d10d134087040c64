import type { Conditions } from '@alphaflops/contracts';
import { extensionsOf, type ConvSpec } from '@alphaflops/conv';
import {
  ExecutorSession,
  type PreparedConv,
  type PrepareOptions,
  type PrepareResult,
} from '@alphaflops/executor';
import type { EnergyReading, OutputPoint } from '@alphaflops/measure';
import type { Program } from './program.js';
import type { Result } from './protocol.js';
import { ReportedTimes } from './reported-times.js';

/** One device of a running program. A violation of the protocol throws `ProgramError`. */
export class ProcessSession extends ExecutorSession {
  constructor(
    private readonly program: Program,
    private readonly hello: Result<'hello'>,
  ) {
    super();
  }

  async prepare(spec: ConvSpec, { seed, mode }: PrepareOptions): Promise<PrepareResult> {
    const { program, hello } = this;
    const [extension] = extensionsOf(spec);
    if (extension !== undefined && !hello.optionalFields) {
      const { name, version } = hello.program;
      const reason = `the program ${name} ${version} does not say that it computes ${extension}`;
      return { ok: false, outcome: 'unsupported', reason };
    }
    const prepared = await program.ask('prepare', { spec, seed, mode });
    if (prepared.outcome !== 'ok') {
      return { ok: false, outcome: prepared.outcome, reason: prepared.reason };
    }
    const { bufferOrder, tolerance, algorithm, workspaceBytes, eager, energy = false } = prepared;
    const eagerMs = async (): Promise<number> => (await program.ask('eager', {})).timeMs;
    const times = new ReportedTimes();
    const conv: PreparedConv = {
      bufferOrder,
      tolerance,
      algorithm,
      workspaceBytes,
      timeBatchMs: (inner) => times.checked(inner, async () => (await program.ask('time', { inner })).timeMs),
      ...(eager ? { eagerMs } : {}),
      ...(energy ? { energy: (windowMs: number) => this.energy(windowMs) } : {}),
      outputPoints: async (points: readonly OutputPoint[]) =>
        (await program.ask('output', { points: [...points] })).values,
      dispose: async () => {
        await program.ask('release', {});
      },
    };
    return { ok: true, conv };
  }

  /** Energy from the program's own meter. */
  private async energy(windowMs: number): Promise<EnergyReading> {
    const answer = await this.program.ask('energy', { windowMs });
    if (answer.outcome === 'unknown') return { ok: false, reason: answer.reason };
    const { energyMillijoules, iterations } = answer;
    return {
      ok: true,
      energyMillijoules,
      integratedMillijoules: null,
      windowMs: answer.windowMs,
      iterations,
    };
  }

  async readConditions(): Promise<Conditions> {
    return await this.program.ask('conditions', {});
  }

  async dispose(): Promise<void> {
    await this.program.close();
  }
}
