import type { Lease } from '@alphaflops/contracts';
import { WorkerError } from './error.js';
import { exampleJob } from './example-job.spec-helper.js';
import { Leases, type LeasesOptions } from './leases.js';
import { Log } from './log.js';
import type { Performed } from './performer.js';

const lease: Lease = {
  ...{ job: 'measure', targetId: 'class-1', id: 'c1.b0', token: 'w1.t', attempt: 1, leaseMs: 8_000 },
  payload: exampleJob(),
};
const ref = { job: 'measure', targetId: 'class-1', id: 'c1.b0', token: 'w1.t', attempt: 1 };
const performed = { result: {}, body: new Uint8Array(), summary: {} } as unknown as Performed<'measure'>;
const unreachable = new WorkerError('unreachable', 'The coordinator does not answer.');
const request = { jobs: ['measure' as const], targetIds: ['class-1'] };

/** A coordinator that gives these answers in order, and repeats the last one. */
function leases(answers: { take?: unknown[]; bring?: unknown[]; renew?: unknown[] }) {
  const calls: [string, unknown][] = [];
  const lines: string[] = [];
  const waits: number[] = [];
  const renewals: (() => void)[] = [];
  let troubles = 0;
  const next = <T>(list: unknown[] = []): Promise<T> => {
    const answer = list.length > 1 ? list.shift() : list[0];
    return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer as T);
  };
  const client: LeasesOptions['client'] = {
    take: () => next(answers.take),
    renew: (_id, refs) => {
      calls.push(['renew', refs]);
      return next(answers.renew);
    },
    bring: (_id, it) => {
      calls.push(['bring', it]);
      return next(answers.bring);
    },
    giveBack: (_id, it) => {
      calls.push(['give back', it]);
      return Promise.resolve();
    },
    fail: (_id, it, reason) => {
      calls.push([`fail ${reason}`, it]);
      return Promise.resolve();
    },
  };
  const held = new Leases({
    ...{ client, workerId: 'w1', onTrouble: () => (troubles += 1) },
    wait: (ms, signal) => {
      if (ms === RENEW_EVERY_MS) {
        return new Promise((resolve) => {
          renewals.push(resolve);
          signal.addEventListener('abort', () => {
            resolve();
          });
        });
      }
      waits.push(ms);
      return Promise.resolve();
    },
    log: new Log({ level: 'log', json: false }, (line) => lines.push(line)),
  });
  /** Advances to the time of the next renewal. */
  const renew = async (): Promise<void> => {
    renewals.pop()?.();
    for (let at = 0; at < 20; at++) await Promise.resolve();
  };
  return { held, calls, lines, waits, renew, troubles: () => troubles };
}

const never = new AbortController().signal;
const RENEW_EVERY_MS = 2_500;

describe('leases of a worker', () => {
  it('are requested until one arrives, after growing pauses with a random part', async () => {
    const { held, lines, waits, troubles } = leases({ take: [unreachable, unreachable, null, null, lease] });
    expect((await held.take(request, never))?.lease).toBe(lease);
    expect([waits.length, troubles()]).toEqual([2, 2]);
    for (const [i, ms] of waits.entries()) {
      expect(ms).toBeGreaterThanOrEqual(125 * 2 ** i);
      expect(ms).toBeLessThan(375 * 2 ** i);
    }
    expect(lines).toEqual([
      expect.stringContaining('The coordinator does not answer. The worker tries again'),
      expect.stringContaining('the coordinator answers'),
    ]);
    held.close();
  });

  it('are renewed until they end, and lost when the coordinator reports it', async () => {
    const { held, calls, renew } = leases({
      take: [lease],
      renew: [[], unreachable, ['w1.t']],
      bring: [undefined],
    });
    const taken = await held.take(request, never);
    if (taken === null) throw new Error('no lease');
    await renew();
    await renew();
    expect(calls).toEqual([
      ['renew', [ref]],
      ['renew', [ref]],
    ]);
    // No answer arrived: the state of the lease is unknown.
    expect(taken.lost.aborted).toBe(false);
    await renew();
    expect(taken.lost.aborted).toBe(true);
    // It is not renewed any more either, because another worker gets the job.
    await renew();
    expect(calls).toHaveLength(3);
    await held.bring(taken, performed, never);
    await renew();
    expect(calls).toHaveLength(4);
    held.close();
  });

  it('send results until they are stored or no longer needed', async () => {
    const stored = leases({ take: [lease], bring: [unreachable, unreachable, undefined] });
    const taken = await stored.held.take(request, never);
    if (taken === null) throw new Error('no lease');
    await stored.held.bring(taken, performed, never);
    expect(stored.calls.map(([what]) => what)).toEqual(['bring', 'bring', 'bring']);
    expect(stored.calls[0]).toEqual(['bring', ref]);
    stored.held.close();

    const late = leases({ bring: [new WorkerError('lease-ended', 'It belongs to another worker.')] });
    await late.held.bring(taken, performed, never);
    expect(late.lines).toEqual([expect.stringContaining('A result was dropped. It belongs to another')]);
    late.held.close();

    const wrong = leases({ bring: [new WorkerError('rejected', 'too large')] });
    await wrong.held.bring(taken, performed, never);
    expect(wrong.calls.map(([what]) => what)).toEqual(['bring', 'fail too large']);
    wrong.held.close();
  });

  it('return a job whose result cannot be sent any more', async () => {
    const { held, calls } = leases({ bring: [unreachable] });
    const leaving = new AbortController();
    leaving.abort();
    await held.bring({ lease, lost: never }, performed, leaving.signal);
    expect(calls.map(([what]) => what)).toEqual(['bring', 'give back']);
    held.close();
  });
});
