import type { Campaign, PlanRoundResult } from '@alphaflops/contracts';
import { GiveUp } from '@alphaflops/queue';
import { buildCampaign } from '@alphaflops/store/conformance';
import { Logger } from '@nestjs/common';
import { answered, TestRedis } from './redis.spec-helper.js';
import type { RoundPlanner } from './round-planner.js';
import { RoundsService } from './rounds.service.js';

/** Plans rounds with the results that a test gives, one after the other. */
class FakePlanner {
  readonly results: (PlanRoundResult | Error)[] = [];
  readonly planned: [campaignId: string, round: number][] = [];
  plan(campaignId: string, round: number): Promise<PlanRoundResult> {
    this.planned.push([campaignId, round]);
    const result = this.results.shift() ?? new GiveUp('the test gave no result for this round');
    return result instanceof Error ? Promise.reject(result) : Promise.resolve(result);
  }
}

let redis: TestRedis;
let planner: FakePlanner;
/** A process that does not plan. */
let service: RoundsService;
const start = (fits: boolean) =>
  redis.run((connection) => new RoundsService({ fits }, connection, planner as unknown as RoundPlanner));
beforeAll(async () => {
  Logger.overrideLogger(false);
  redis = await TestRedis.start();
}, 30_000);
beforeEach(async () => {
  planner = new FakePlanner();
  service = await start(false);
});
afterEach(() => redis.end());
afterAll(() => redis.stop());

const planned = (start: number): PlanRoundResult => ({
  ...{ planned: true, start, specs: 3, excluded: { memory: 2 }, reason: '3 specs' },
});
const inRounds = (campaign: Campaign, ...ends: number[]): Campaign => ({
  ...campaign,
  rounds: { testSpecs: 0, ends, storedSpecs: 100 },
});

describe('a further round', () => {
  it('is planned once by a process that fits, for any number of requests', async () => {
    const campaign = inRounds(buildCampaign(), 2, 4);
    expect(await service.request(campaign)).toBeNull();
    expect(await service.request(campaign)).toBeNull();
    planner.results.push(planned(4));
    await start(true);
    expect(await answered(() => service.request(campaign))).toEqual(planned(4));
    expect(await service.request(campaign)).toEqual(planned(4));
    expect(planner.planned).toEqual([[campaign.id, 3]]);
  });

  it('follows the rounds of the campaign; without rounds it is the second', async () => {
    await start(true);
    const campaign = buildCampaign();
    const noRound: PlanRoundResult = { planned: false, reason: 'it does not measure in rounds' };
    planner.results.push(noRound, planned(2), planned(5));
    expect(await answered(() => service.request(campaign))).toEqual(noRound);
    const other = inRounds(buildCampaign(), 2);
    expect(await answered(() => service.request(other))).toEqual(planned(2));
    const grown = inRounds(other, 2, 5);
    expect(await answered(() => service.request(grown))).toEqual(planned(5));
    expect(planner.planned).toEqual([
      [campaign.id, 2],
      [other.id, 2],
      [other.id, 3],
    ]);
  });

  it('starts again after its planning has failed permanently', async () => {
    await start(true);
    const campaign = inRounds(buildCampaign(), 2);
    planner.results.push(new GiveUp('the store is away'), planned(2));
    expect(await answered(() => service.request(campaign))).toEqual(planned(2));
    expect(planner.planned).toEqual([
      [campaign.id, 2],
      [campaign.id, 2],
    ]);
  });
});
