import { ApiError, type components } from '@alphaflops/api-client';
import { EventSourceParserStream } from 'eventsource-parser/stream';
import { useEffect, useState } from 'react';
import { fetchRaw, type Session, useSession } from './session.js';

export type CampaignProgress = components['schemas']['CampaignProgress'];

export const ENDED: readonly string[] = ['completed', 'failed', 'cancelled'];
const RECONNECT_AFTER_MS = 1_500;

/**
 * Live progress of a campaign until it has ended, also during restarts of the coordinator; null before the first event.
 */
export function useProgress(campaignId: string): {
  progress: CampaignProgress | null;
  error: Error | null;
  isLost: boolean;
} {
  const session = useSession();
  const [progress, setProgress] = useState<CampaignProgress | null>(null);
  const [error, setError] = useState<Error | null>(null);
  const [isLost, setLost] = useState(false);
  useEffect(() => {
    const gone = new AbortController();
    const watch = async (): Promise<void> => {
      for (;;) {
        try {
          for await (const event of events(session, campaignId, gone.signal)) {
            setProgress(event);
            setLost(false);
            if (ENDED.includes(event.state)) return;
          }
        } catch (caught) {
          if (gone.signal.aborted) return;
          // A refusal of the coordinator is final. Any other error is a lost connection.
          if (caught instanceof ApiError && caught.status < 500) {
            setError(caught);
            return;
          }
        }
        setLost(true);
        await new Promise((resolve) => setTimeout(resolve, RECONNECT_AFTER_MS));
      }
    };
    void watch();
    return () => {
      gone.abort();
    };
  }, [session, campaignId]);
  return { progress, error, isLost };
}

/** EventSource cannot send a token, but a request for a streamed answer can. */
async function* events(
  session: Session,
  campaignId: string,
  signal: AbortSignal,
): AsyncGenerator<CampaignProgress> {
  const path = `/v1/campaigns/${encodeURIComponent(campaignId)}/events`;
  const { body } = await fetchRaw(session, path, { accept: 'text/event-stream', signal });
  if (body === null) return;
  const reader = body
    .pipeThrough(new TextDecoderStream() as TransformStream<Uint8Array, string>)
    .pipeThrough(new EventSourceParserStream())
    .getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    if (value.event === 'progress') yield JSON.parse(value.data) as CampaignProgress;
  }
}
