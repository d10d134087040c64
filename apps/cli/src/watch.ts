import { setTimeout } from 'node:timers/promises';
import { ApiError } from '@alphaflops/api-client';
import { type CampaignProgress, CampaignProgressSchema, type CampaignRound } from '@alphaflops/contracts';
import { percent } from '@alphaflops/contracts/text';
import cliProgress from 'cli-progress';
import { EventSourceParserStream } from 'eventsource-parser/stream';
import type { Connection } from './connection.js';
import { BAR } from './progress.js';
import { seconds, significant } from './tables.js';

const ENDED: readonly string[] = ['completed', 'failed', 'cancelled'];
const RECONNECT_AFTER_MS = 1_000;
/** Without a terminal, a line is written after each further share of the campaign of this size. */
const LINE_EVERY_SHARE = 0.1;

/** Output for progress: a live bar on a terminal, otherwise a line from time to time. */
export type ProgressOutput = Pick<NodeJS.WriteStream, 'isTTY' | 'write'>;

/**
 * Shows a campaign's progress until it has ended, also during restarts of the coordinator, and returns the last state.
 * * * @throws ApiError if the campaign is unknown or the token is refused; the reason of `signal`
 */
export async function watchCampaign(
  connection: Pick<Connection, 'url' | 'token' | 'fetch'>,
  campaignId: string,
  { output = process.stderr, signal }: { output?: ProgressOutput; signal?: AbortSignal } = {},
): Promise<CampaignProgress> {
  const show = output.isTTY ? bar() : lines(output);
  try {
    for (;;) {
      try {
        for await (const progress of events(connection, campaignId, signal)) {
          show.update(progress);
          if (ENDED.includes(progress.state)) return progress;
        }
      } catch (error) {
        signal?.throwIfAborted();
        // A refusal of the coordinator is final. Any other error is a lost connection.
        if (error instanceof ApiError) throw error;
      }
      await setTimeout(RECONNECT_AFTER_MS, undefined, { signal });
    }
  } finally {
    show.stop();
  }
}

async function* events(
  { url, token, fetch }: Pick<Connection, 'url' | 'token' | 'fetch'>,
  campaignId: string,
  signal?: AbortSignal,
): AsyncGenerator<CampaignProgress> {
  const answer = await fetch(new URL(`/v1/campaigns/${encodeURIComponent(campaignId)}/events`, url), {
    headers: { authorization: `Bearer ${token}`, accept: 'text/event-stream' },
    signal: signal ?? null,
  });
  if (!answer.ok) {
    const { code, detail } = (await answer.json()) as { code: string; detail: string };
    throw new ApiError(answer.status, code, detail);
  }
  if (answer.body === null) return;
  const stream = answer.body.pipeThrough(new TextDecoderStream()).pipeThrough(new EventSourceParserStream());
  for await (const { event, data } of stream) {
    if (event === 'progress') yield CampaignProgressSchema.parse(JSON.parse(data));
  }
}

interface Display {
  update: (progress: CampaignProgress) => void;
  stop: () => void;
}

function bar(): Display {
  const shown = new cliProgress.SingleBar({
    ...BAR,
    format: '  {bar} {value}/{total} · {pace} · {outcomes}',
  });
  let isStarted = false;
  return {
    update: (progress) => {
      const { totalSlots, recordedSlots } = progress;
      if (isStarted) {
        shown.setTotal(totalSlots);
        shown.update(recordedSlots, words(progress));
      } else shown.start(totalSlots, recordedSlots, words(progress));
      isStarted = true;
    },
    stop: () => {
      if (isStarted) shown.stop();
    },
  };
}

function lines(output: ProgressOutput): Display {
  let written = { share: -1, news: '' };
  return {
    update: (progress) => {
      const { totalSlots, recordedSlots, state, waitingFor, round, learning, targetError } = progress;
      const share = recordedSlots / totalSlots;
      // With a target error the end is unknown, so each round gives a line.
      const planned = targetError === null ? 0 : progress.plannedSlots;
      const news = JSON.stringify([state, waitingFor, round, learning.length, planned]);
      if (news === written.news && share < 1 && share - written.share < LINE_EVERY_SHARE) return;
      written = { share, news };
      const { pace, outcomes } = words(progress);
      output.write(`  ${recordedSlots}/${totalSlots} · ${pace} · ${outcomes}\n`);
    },
    stop: () => undefined,
  };
}

function words(progress: CampaignProgress): { pace: string; outcomes: string } {
  const { state, waitingFor, outcomes } = progress;
  const happened = Object.entries(outcomes).filter(([, count]) => count > 0);
  const counts =
    happened.length === 0 ? 'nothing measured yet' : happened.map(([name, n]) => `${n} ${name}`).join(', ');
  if (waitingFor !== null) return { pace: `waiting: ${waitingFor}`, outcomes: counts };
  const pace = state === 'running' ? paceOf(progress) : [];
  return { pace: pace.length === 0 ? state : pace.join(' · '), outcomes: counts };
}

function paceOf(progress: CampaignProgress): string[] {
  const { round, slotsPerSecond, remainingSeconds, learning, forecast } = progress;
  const newest = learning.at(-1);
  return [
    ...(round === null ? [] : [roundText(round)]),
    ...(newest === undefined ? [] : [`error ${percent(newest.medianApe)} with ${newest.shapes} shapes`]),
    ...(forecast === null ? [] : [forecast.text]),
    ...(slotsPerSecond === null ? [] : [`${significant(slotsPerSecond, 2)}/s`]),
    ...(remainingSeconds === null ? [] : [`${seconds(remainingSeconds)} left`]),
  ];
}

/** For example `round 2 of 8`. */
export function roundText({ number, of, isPlanningNext }: CampaignRound): string {
  return `round ${number} of ${of}${isPlanningNext ? `, choosing round ${number + 1}` : ''}`;
}
