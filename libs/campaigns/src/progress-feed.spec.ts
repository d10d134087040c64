import type { CampaignProgress } from '@alphaflops/contracts';
import type { MessageEvent } from '@nestjs/common';
import { ProgressFeed } from './progress-feed.js';

const { jest } = import.meta;

const progress = (recordedSlots: number, state = 'running') =>
  ({ state, recordedSlots }) as unknown as CampaignProgress;

describe('the feed of a campaign', () => {
  let now: CampaignProgress;
  let lookUps: number;
  let feed: ProgressFeed;

  function watch(id = 'c') {
    const seen: (MessageEvent | 'end')[] = [];
    const subscription = feed.events(id).subscribe({
      next: (event) => seen.push(event),
      complete: () => seen.push('end'),
    });
    return {
      seen,
      stop: () => {
        subscription.unsubscribe();
      },
    };
  }
  const change = (data: CampaignProgress) => ({ type: 'progress', data });

  beforeEach(() => {
    jest.useFakeTimers();
    [now, lookUps] = [progress(0), 0];
    feed = new ProgressFeed(() => {
      lookUps += 1;
      return Promise.resolve(now);
    });
  });
  afterEach(() => jest.useRealTimers());

  it('looks up once for all watchers, and gives a late watcher the current state', async () => {
    const first = watch();
    await jest.advanceTimersByTimeAsync(600);
    const second = watch();
    expect(second.seen).toEqual([change(progress(0))]);
    lookUps = 0;
    now = progress(1);
    await jest.advanceTimersByTimeAsync(5_000);
    expect(lookUps).toBe(10);
    for (const { seen } of [first, second]) expect(seen).toEqual([change(progress(0)), change(progress(1))]);
  });

  it('ends with the campaign, for all watchers', async () => {
    const watchers = [watch(), watch()];
    await jest.advanceTimersByTimeAsync(100);
    now = progress(2, 'completed');
    await jest.advanceTimersByTimeAsync(600);
    for (const { seen } of watchers) expect(seen.slice(1)).toEqual([change(now), 'end']);
    expect(jest.getTimerCount()).toBe(0);
  });

  it('sends a comment after every 15 s without a change', async () => {
    const { seen, stop } = watch();
    await jest.advanceTimersByTimeAsync(31_000);
    expect(seen).toEqual([change(progress(0)), { comment: 'no change' }, { comment: 'no change' }]);
    now = progress(1);
    await jest.advanceTimersByTimeAsync(14_000);
    expect(seen.slice(3)).toEqual([change(progress(1))]);
    stop();
  });

  it('stops the look-ups when nobody watches any more', async () => {
    const watchers = [watch(), watch()];
    await jest.advanceTimersByTimeAsync(600);
    for (const { stop } of watchers) stop();
    lookUps = 0;
    await jest.advanceTimersByTimeAsync(5_000);
    expect(lookUps).toBe(0);
    expect(jest.getTimerCount()).toBe(0);
  });
});
