import { setTimeout } from 'node:timers/promises';
import type { Measurement } from '@alphaflops/contracts';
import { type ConvSpec, specKey } from '@alphaflops/conv';
import { writeSpecs } from '@alphaflops/dataset';
import { WORKER_PROTOCOL_VERSION } from '@alphaflops/contracts';
import {
  DeviceWork,
  Heartbeat,
  Leases,
  Log,
  measuring,
  runBatch,
  Turns,
  wait,
} from '@alphaflops/worker/parts';
import { Stack, until } from '../../test/support/stack.js';
import type { Benchmark, Row } from './benchmark.js';
import { measurementsOf, smallSpecs } from './measurements.js';
import { cpuSeconds } from './processes.js';
import { enrolWorkers, type SimulatedWorker } from './simulated-worker.js';

/** The time of a ConvSpec on a host processor, and the approximate time of a batch of the automatic size. */
const SPEC_MS = 500;
const HEARTBEAT_MS = 10_000;
const REPLICATES = 100;

/** Five hundred workers on one coordinator. Each runs the code of a real worker, except for its device. */
export const fleet: Benchmark = {
  what: '500 simulated workers heartbeating and measuring for 5 minutes',
  run: async (scale) => {
    const [workers, forS] = scale === 'full' ? [500, 300] : [10, 10];
    const stack = await Stack.start({
      ALPHAFLOPS_REQUESTS_PER_MINUTE: '1000000',
      ALPHAFLOPS_ENROLMENTS_PER_MINUTE: '10000',
    });
    try {
      return await new Fleet(stack, workers, forS).rows();
    } finally {
      await stack.stop();
    }
  },
};

class Fleet {
  private readonly specs: ConvSpec[];
  private measurements = new Map<string, Measurement>();
  private beats = 0;
  /** Heartbeats without an answer, or with an answer after the next heartbeat was due. */
  private missed = 0;

  constructor(
    private readonly stack: Stack,
    private readonly workers: number,
    private readonly forS: number,
  ) {
    // Enough work for all workers for this time.
    this.specs = smallSpecs(Math.ceil((workers * forS * 1000) / SPEC_MS / REPLICATES));
  }

  async rows(): Promise<Row[]> {
    this.measurements = await measurementsOf(this.specs);
    const simulated = await enrolWorkers(this.stack, this.workers);
    const log = new Log({ level: 'warn', json: false }, (line) => process.stderr.write(line));
    const leases = simulated.map(({ id, client }) => {
      return new Leases({ client, workerId: id, onTrouble: () => undefined, wait, log });
    });
    const works = simulated.map((worker, i) => this.workOf(worker, leases[i] as Leases, log));
    const beats = simulated.map((worker, i) => this.heartbeatOf(worker, works[i] as DeviceWork, log));
    const beating = beats.map(async (beat, i) => {
      // Spread over time, like workers that start at different times.
      await setTimeout((i * HEARTBEAT_MS) / beats.length);
      await beat.run();
    });
    for (const work of works) work.begin();
    const [cpu, beganMs] = [cpuSeconds(this.stack.coordinatorPid), performance.now()];
    const { planned, stored } = await this.campaign(simulated[0]?.targetIds[0] ?? '');
    const tookS = (performance.now() - beganMs) / 1000;
    const cores = (cpuSeconds(this.stack.coordinatorPid) - cpu) / tookS;
    await Promise.all(works.map((work) => work.end('finish')));
    for (const each of leases) each.close();
    await Promise.all(beats.map((beat) => beat.stop()));
    await Promise.all(beating);

    const who = `${this.workers} workers for ${Math.round(tookS)} s`;
    const alone = { comparedWith: null, theirs: [], judge: 'ours' as const, goal: null };
    return [
      {
        ...alone,
        what: `missed heartbeats of ${who}`,
        unit: '',
        ours: [this.missed],
        must: 0,
        note: `of ${this.beats.toLocaleString('en')}; missed: no answer within ${HEARTBEAT_MS / 1000} s.`,
      },
      {
        ...alone,
        what: `slots of the same without exactly one good sample`,
        unit: '',
        ours: [planned - stored],
        must: 0,
        note: `of ${planned.toLocaleString('en')}, each ${SPEC_MS} ms of a worker.`,
      },
      {
        ...alone,
        what: `processor time of the coordinator meanwhile`,
        unit: 'cores',
        ours: [cores],
        must: 1,
      },
    ];
  }

  private workOf({ targetIds, origin }: SimulatedWorker, leases: Leases, log: Log): DeviceWork {
    const { measurements } = this;
    const measurer = {
      async *measureEach(specs: readonly ConvSpec[]) {
        for (const spec of specs) {
          await setTimeout(SPEC_MS * (0.9 + 0.2 * Math.random()));
          yield measurements.get(specKey(spec)) as Measurement;
        }
      },
    };
    return new DeviceWork({
      targetIds,
      performers: {
        measure: measuring((job, context) => runBatch(job, context, origin, measurer), origin.signingKey),
      },
      leases,
      turns: new Turns(),
      wait,
      log,
    });
  }

  private heartbeatOf({ id, client }: SimulatedWorker, work: DeviceWork, log: Log): Heartbeat {
    return new Heartbeat({
      intervalMs: HEARTBEAT_MS,
      desiredState: 'active',
      send: async (activity, signal) => {
        const sentMs = performance.now();
        this.beats += 1;
        try {
          const answer = await client.heartbeat(
            id,
            { activity, protocolVersion: WORKER_PROTOCOL_VERSION },
            signal,
          );
          if (performance.now() - sentMs > HEARTBEAT_MS) this.missed += 1;
          return answer;
        } catch (error) {
          if (!signal.aborted) this.missed += 1;
          throw error;
        }
      },
      activity: () => (work.isMeasuring ? 'measuring' : 'idle'),
      onDesiredState: () => undefined,
      wait,
      log,
    });
  }

  private async campaign(deviceClassId: string): Promise<{ planned: number; stored: number }> {
    let csv = '';
    for await (const piece of writeSpecs(this.specs)) csv += piece;
    const { data } = await this.stack.api.POST('/v1/campaigns', {
      body: {
        name: 'bench',
        design: { name: 'csv', csv },
        target: { kind: 'device-class', deviceClassId },
        budget: { specs: this.specs.length },
        repeats: 0,
        replicates: REPLICATES,
      },
    });
    const [planned, id] = [data?.plannedSlots ?? 0, data?.id ?? ''];
    const path = { params: { path: { id } } };
    const { data: progress } = await until(
      async () => {
        await setTimeout(500);
        return this.stack.api.GET('/v1/campaigns/{id}/progress', path);
      },
      ({ data: now }) => now?.state !== 'planned' && now?.state !== 'running',
    );
    return { planned, stored: progress?.outcomes.ok ?? 0 };
  }
}
