import { loadExecutor, type ExecutorReference } from './adapter-module.js';
import type { Executor, ExecutorSession } from './executor.js';
import { measureSpec } from './measure-spec.js';
import { RequestSchema, type Reply, type Request } from './messages.js';
import { systemClock } from './system-clock.js';

/** The work of the executor's process: one executor, at most one open device. */
export class ChildService {
  private executor: Executor | null = null;
  private session: ExecutorSession | null = null;

  constructor(private readonly reference: ExecutorReference) {}

  /** Answers one message of the parent. Does not throw. */
  async answer(message: unknown): Promise<Reply> {
    try {
      return await this.serve(RequestSchema.parse(message));
    } catch (error) {
      return { kind: 'failed', message: error instanceof Error ? error.message : String(error) };
    }
  }

  async dispose(): Promise<void> {
    await this.session?.dispose();
    this.session = null;
  }

  private opened(): ExecutorSession {
    if (this.session === null) throw new Error('asked before a device was opened');
    return this.session;
  }

  private async serve(request: Request): Promise<Reply> {
    this.executor ??= await loadExecutor(this.reference);
    switch (request.kind) {
      case 'probe':
        return { kind: 'probed', result: await this.executor.probe() };
      case 'open':
        await this.dispose();
        this.session = await this.executor.open(request.deviceUuid);
        return { kind: 'opened' };
      case 'conditions':
        return { kind: 'conditions', conditions: await this.opened().readConditions() };
      case 'measure': {
        const { spec, protocol } = request;
        const measurement = await measureSpec(this.opened(), spec, protocol, systemClock);
        return { kind: 'measured', measurement };
      }
    }
  }
}
