import type { Campaign, CampaignState } from '@alphaflops/contracts';
import {
  campaignForecast,
  hasFurtherRound,
  isNextRoundDue,
  isTimeUp,
  roundOf,
  runningMs,
  totalSlotsOf,
} from './rounds.js';

const at = (second: number): string => new Date(1_700_000_000_000 + 1000 * second).toISOString();

/** 60 specs in three rounds (20, 40, 60) on one device class, each measured twice; all in state running. */
function campaign(ends: number[], states: readonly CampaignState[] = ['planned', 'running']): Campaign {
  const plannedSpecs = ends.at(-1) ?? 0;
  return {
    state: states.at(-1),
    history: states.map((state, index) => ({ state, at: at(10 * index), reason: '' })),
    request: { design: { name: 'adaptive', seed: 1, rounds: 3 }, budget: { specs: 60 }, replicates: 2 },
    rounds: { testSpecs: 6, ends },
    targetIds: ['class'],
    plannedSpecs,
    plannedSlots: 2 * plannedSpecs,
  } as unknown as Campaign;
}

it('counts second visits from the start, and adds none after they are planned', () => {
  const planned = { ...campaign([20]), plannedSlots: 20 };
  const { rounds, ...atOnce } = { ...planned, request: { ...planned.request, replicates: 1, repeats: 0.1 } };
  expect(rounds).toBeDefined();
  expect(totalSlotsOf(atOnce)).toBe(22);
  const repeats = { specIndexes: [0, 10], revisits: [] };
  expect(totalSlotsOf({ ...atOnce, plannedSlots: 23, repeats })).toBe(23);
  expect(totalSlotsOf({ ...atOnce, request: { ...atOnce.request, repeats: 0 } })).toBe(20);
  // Replicates already count as second visits.
  expect(totalSlotsOf({ ...atOnce, request: { ...atOnce.request, replicates: 2 } })).toBe(40);
});

describe('a campaign that plans in rounds', () => {
  it('counts the measurements of future rounds from the start', () => {
    expect(totalSlotsOf(campaign([20]))).toBe(120);
    expect(roundOf(campaign([20]), 7)).toEqual({ number: 1, of: 3, isPlanningNext: false });
    expect(roundOf(campaign([20, 40]), 79)).toEqual({ number: 2, of: 3, isPlanningNext: false });
  });

  it('reports that a round is being chosen when the previous one is recorded, except the last one or while paused', () => {
    expect(roundOf(campaign([20]), 40)?.isPlanningNext).toBe(true);
    expect(roundOf(campaign([20, 40, 60]), 120)).toEqual({ number: 3, of: 3, isPlanningNext: false });
    expect(roundOf(campaign([20], ['running', 'paused']), 40)?.isPlanningNext).toBe(false);
  });

  it('counts one more round when rounds were smaller than expected', () => {
    expect(roundOf(campaign([15]), 0)?.of).toBe(4);
    expect(roundOf(campaign([15, 40]), 0)?.of).toBe(3);
  });

  it('counts only planned measurements when no round can follow', () => {
    const ended = campaign([20], ['running', 'fitting', 'completed']);
    expect(totalSlotsOf(ended)).toBe(40);
    expect(roundOf(ended, 40)).toEqual({ number: 1, of: 1, isPlanningNext: false });
    // If it is cancelled before its end, it stays unfinished.
    expect(totalSlotsOf(campaign([20], ['running', 'cancelled']))).toBe(120);
  });

  it('does not change campaigns that are planned completely at the start', () => {
    const { rounds, ...atOnce } = campaign([20]);
    expect(rounds).toBeDefined();
    expect(totalSlotsOf(atOnce)).toBe(40);
    expect(roundOf(atOnce, 40)).toBeNull();
  });
});

it('gives the running time of a campaign, without its pauses', () => {
  const { history } = campaign([20], ['planned', 'running', 'running', 'paused', 'running']);
  expect(runningMs({ history }, Date.parse(at(47)))).toBe(27_000);
  expect(runningMs({ history: history.slice(0, 4) }, Date.parse(at(47)))).toBe(20_000);
});

describe('a campaign with a target error', () => {
  const withTarget = (part: Partial<Campaign> = {}): Campaign => ({
    ...campaign([50, 75]),
    request: {
      design: { name: 'networklike', seed: 1 },
      budget: { specs: 1_000, targetError: 0.1 },
      replicates: 1,
      repeats: 0,
    } as unknown as Campaign['request'],
    rounds: { testSpecs: 0, ends: [50, 75], storedSpecs: 900 },
    plannedSlots: 75,
    ...part,
  });

  it('requests the next round when all rounds except the newest one are measured', () => {
    expect(isNextRoundDue(withTarget(), 49)).toBe(false);
    expect(isNextRoundDue(withTarget(), 50)).toBe(true);
    const repeats = {
      specIndexes: [3, 4],
      revisits: [{ replicate: 1, deviceId: 'd', specIndexes: [3, 4], afterRound: 2 }],
    };
    expect(isNextRoundDue(withTarget({ repeats, plannedSlots: 77 }), 49)).toBe(false);
    expect(isNextRoundDue(withTarget({ repeats, plannedSlots: 77 }), 50)).toBe(true);
    const before = { ...repeats, revisits: [{ ...repeats.revisits[0], afterRound: 1 }] as never };
    expect(isNextRoundDue(withTarget({ repeats: before, plannedSlots: 77 }), 51)).toBe(false);
    expect(isNextRoundDue(withTarget({ repeats: before, plannedSlots: 77 }), 52)).toBe(true);
  });

  it('requests its result when all rounds are measured', () => {
    const last = withTarget({
      rounds: { testSpecs: 0, ends: [50, 75], storedSpecs: 75 },
      repeats: { specIndexes: [], revisits: [] },
    });
    expect(hasFurtherRound(last)).toBe(false);
    expect(hasFurtherRound(withTarget({ repeats: { specIndexes: [], revisits: [] } }))).toBe(true);
    expect(isNextRoundDue(last, 74)).toBe(false);
    expect(isNextRoundDue(last, 75)).toBe(true);
  });

  it('counts up to its budget, or up to the forecast if that is less', () => {
    expect(totalSlotsOf(withTarget())).toBe(900);
    const point = { standardError: 0.004, form: 'boosted', judgedBy: 300 };
    const learning = [150, 180, 216, 260].map((shapes) => ({
      ...{ ...point, shapes, medianApe: 0.16 * (shapes / 150) ** -0.4 },
    })) as unknown as Campaign['learning'] & object;
    const ends = [50, 75, 150, 180, 216, 260, 312, 375];
    const running = withTarget({
      ...{ learning, rounds: { testSpecs: 0, ends, storedSpecs: 900 } },
      ...{ plannedSpecs: 375, plannedSlots: 375 },
    });
    const forecast = campaignForecast(running, 2);
    // 0.16 · (n / 150)^-0.4 = 0.1 at 486 shapes.
    expect(forecast?.shapesForTarget).toBeGreaterThan(400);
    expect(forecast?.shapesForTarget).toBeLessThan(800);
    expect(forecast?.secondsForTarget).toBe((forecast?.moreShapes ?? NaN) / 2);
    expect(totalSlotsOf(running, forecast)).toBe(260 + (forecast?.moreShapes ?? NaN));
    expect(campaignForecast({ ...running, stop: { kind: 'budget', reason: '' } }, 2)).toBeNull();
  });
});

it('detects the end of the time limit of a campaign, without its pauses', () => {
  const limited = (states: CampaignState[], maxSeconds?: number): Campaign => {
    const { request, ...rest } = campaign([20], states);
    return { ...rest, request: { ...request, budget: { specs: 60, ...(maxSeconds && { maxSeconds }) } } };
  };
  const running: CampaignState[] = ['planned', 'running', 'paused', 'running'];
  expect(isTimeUp(limited(running, 15), Date.parse(at(34)))).toBe(false);
  expect(isTimeUp(limited(running, 15), Date.parse(at(35)))).toBe(true);
  expect(isTimeUp(limited(running), Date.parse(at(1_000_000)))).toBe(false);
  expect(isTimeUp(limited(['planned', 'running', 'paused'], 5), Date.parse(at(1_000)))).toBe(false);
});
