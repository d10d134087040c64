import type { CampaignProgress } from '@alphaflops/contracts';
import type { MessageEvent } from '@nestjs/common';
import {
  distinctUntilChanged,
  exhaustMap,
  finalize,
  last,
  map,
  merge,
  type Observable,
  ReplaySubject,
  share,
  switchMap,
  takeUntil,
  takeWhile,
  timer,
} from 'rxjs';

/** Interval of the look-up of progress while somebody watches. */
const LOOK_UP_EVERY_MS = 500;
/** Proxies close an idle connection, most of them after a minute. */
const COMMENT_AFTER_MS = 15_000;
const ENDED = ['completed', 'failed', 'cancelled'];

/** The progress of campaigns for watchers, with one look-up for all watchers of a campaign. */
export class ProgressFeed {
  private readonly watched = new Map<string, Observable<CampaignProgress>>();

  constructor(private readonly lookUp: (campaignId: string) => Promise<CampaignProgress>) {}

  /** The current state, then each change until the campaign has ended, and a comment after 15 s without a change. */
  events(campaignId: string): Observable<MessageEvent> {
    const progress = this.changes(campaignId);
    const changes = progress.pipe(map((data): MessageEvent => ({ type: 'progress', data })));
    const comments = progress.pipe(
      switchMap(() => timer(COMMENT_AFTER_MS, COMMENT_AFTER_MS)),
      map((): MessageEvent => ({ comment: 'no change' })),
      takeUntil(progress.pipe(last(null, null))),
    );
    return merge(changes, comments);
  }

  private changes(campaignId: string): Observable<CampaignProgress> {
    const known = this.watched.get(campaignId);
    if (known !== undefined) return known;
    const shared = timer(0, LOOK_UP_EVERY_MS).pipe(
      exhaustMap(() => this.lookUp(campaignId)),
      distinctUntilChanged((a, b) => JSON.stringify(a) === JSON.stringify(b)),
      takeWhile(({ state }) => !ENDED.includes(state), true),
      finalize(() => this.watched.delete(campaignId)),
      share({ connector: () => new ReplaySubject<CampaignProgress>(1) }),
    );
    this.watched.set(campaignId, shared);
    return shared;
  }
}
