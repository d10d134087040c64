import { useQuery } from '@tanstack/react-query';
import { COORDINATOR } from './session.js';
import { Trouble } from './ui.js';

const LOOK_EVERY_MS = 15_000;

/** The answer of `GET /readyz`: a part and "ok", or the problem of the part. */
async function wrongParts(): Promise<string[]> {
  const answer = await fetch(`${COORDINATOR}/readyz`);
  const { checks } = (await answer.json()) as { checks: Record<string, string> };
  return Object.entries(checks)
    .filter(([, result]) => result !== 'ok')
    .map(([part, result]) => `${part}: ${result}`);
}

/**
 * Reports on every page if the store or the queue does not work, such as a Redis with full memory or an unreachable
 * store.
 */
export function Readiness() {
  const { data = [] } = useQuery({
    queryKey: ['readiness'],
    queryFn: wrongParts,
    refetchInterval: LOOK_EVERY_MS,
  });
  if (data.length === 0) return null;
  return <Trouble error={new Error(`The coordinator cannot work at the moment. ${data.join('; ')}`)} />;
}
