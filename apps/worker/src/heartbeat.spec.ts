import {
  type HeartbeatRequest,
  HeartbeatRequestSchema,
  type WorkerDesiredState,
} from '@alphaflops/contracts';
import { WorkerError } from './error.js';
import { Heartbeat } from './heartbeat.js';
import { Log } from './log.js';

type Answer = WorkerDesiredState | WorkerError;
const UNREACHABLE = new WorkerError('unreachable', 'The coordinator at http://c/ does not answer (away).');

/** A coordinator that gives these answers in turn, and a clock that records the requested delays. */
function scripted(answers: Answer[]) {
  const sent: HeartbeatRequest['activity'][] = [];
  const waitedMs: number[] = [];
  const desired: [WorkerDesiredState, string | null][] = [];
  const lines: string[] = [];
  const heartbeat: Heartbeat = new Heartbeat({
    intervalMs: 10_000,
    desiredState: 'active',
    send: (activity, signal) => {
      expect(HeartbeatRequestSchema.safeParse({ activity }).success).toBe(true);
      expect(signal.aborted).toBe(false);
      sent.push(activity);
      const answer = answers.shift() ?? 'active';
      if (answer instanceof WorkerError) return Promise.reject(answer);
      return Promise.resolve({ desiredState: answer, reason: `because ${answer}` });
    },
    activity: () => (sent.length % 2 === 0 ? 'idle' : 'measuring'),
    onDesiredState: (state, reason) => desired.push([state, reason]),
    wait: async (ms) => {
      waitedMs.push(ms);
      if (answers.length === 0) await heartbeat.stop();
    },
    log: new Log({ level: 'log', json: true }, (line) => lines.push(line)),
  });
  return { heartbeat, sent, waitedMs, desired, lines };
}

describe('heartbeat', () => {
  it('beats at once and then in its interval, reports the activity of the worker, and sends a last heartbeat', async () => {
    const { heartbeat, sent, waitedMs, desired, lines } = scripted(['active', 'active', 'active']);
    await heartbeat.run();
    expect(sent).toEqual(['idle', 'measuring', 'idle', 'stopped']);
    expect(waitedMs).toEqual([10_000, 10_000, 10_000]);
    expect([desired, lines]).toEqual([[], []]);
  });

  it('reports each change of the desired state once', async () => {
    const { heartbeat, desired } = scripted(['paused', 'paused', 'active', 'active', 'draining', 'draining']);
    await heartbeat.run();
    expect(desired).toEqual([
      ['paused', 'because paused'],
      ['active', 'because active'],
      ['draining', 'because draining'],
    ]);
  });

  it('retries an unreachable coordinator after growing delays, with one log line at the start and one at the end', async () => {
    const { heartbeat, waitedMs, desired, lines } = scripted([
      'active',
      ...Array.from({ length: 8 }, () => UNREACHABLE),
      'active',
      UNREACHABLE,
      'paused',
    ]);
    await heartbeat.run();
    const retries = [1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000];
    expect(waitedMs).toEqual([10_000, ...retries, 10_000, 1_000, 10_000]);
    expect(lines.map((line) => (JSON.parse(line) as { message: string }).message)).toEqual([
      expect.stringContaining('(away). Measuring continues'),
      expect.stringContaining('answers again'),
      expect.stringContaining('(away)'),
      expect.stringContaining('answers again'),
    ]);
    expect(desired).toEqual([['paused', 'because paused']]);
  });

  it.each([
    ['revoked' as const, 'because revoked'],
    [new WorkerError('refused', 'The coordinator says: revoked.'), 'The coordinator says: revoked.'],
  ])('ends when it is revoked, with no last word: %s', async (answer, reason) => {
    const { heartbeat, sent, waitedMs, desired } = scripted([answer]);
    await heartbeat.run();
    expect(desired).toEqual([['revoked', reason]]);
    expect(sent).toEqual(['idle']);
    expect(waitedMs).toEqual([]);
    await heartbeat.stop();
    expect(sent).toEqual(['idle']);
  });

  it('ends even if its last heartbeat gets no answer, and reports nothing after that', async () => {
    let answerLate: (answer: { desiredState: 'paused'; reason: null }) => void = () => undefined;
    const desired: WorkerDesiredState[] = [];
    const lines: string[] = [];
    const heartbeat = new Heartbeat({
      intervalMs: 10_000,
      desiredState: 'active',
      send: (activity) =>
        activity === 'stopped'
          ? Promise.reject(UNREACHABLE)
          : new Promise((resolve) => {
              answerLate = resolve;
            }),
      activity: () => 'idle',
      onDesiredState: (state) => desired.push(state),
      wait: () => Promise.resolve(),
      log: new Log({ level: 'log', json: false }, (line) => lines.push(line)),
    });
    const beating = heartbeat.run();
    await heartbeat.stop();
    answerLate({ desiredState: 'paused', reason: null });
    await beating;
    expect(desired).toEqual([]);
    expect(lines).toEqual([expect.stringContaining('does not know that this worker stops')]);
  });
});
