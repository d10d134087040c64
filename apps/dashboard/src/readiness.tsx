import { useQuery } from '@tanstack/react-query';
import { COORDINATOR } from './session.js';
import { Trouble } from './ui.js';

const LOOK_EVERY_MS = 15_000;

/** What `GET /readyz` says: a part and "ok", or what is wrong with it. */
async function wrongParts(): Promise<string[]> {
  const answer = await fetch(`${COORDINATOR}/readyz`);
  const { checks } = (await answer.json()) as { checks: Record<string, string> };
  return Object.entries(checks)
    .filter(([, result]) => result !== 'ok')
    .map(([part, result]) => `${part}: ${result}`);
}

/** Says on every page that store or queue do not work: full memory of Redis, a store that is away. */
export function Readiness() {
  const { data = [] } = useQuery({
    queryKey: ['readiness'],
    queryFn: wrongParts,
    refetchInterval: LOOK_EVERY_MS,
  });
  if (data.length === 0) return null;
  return <Trouble error={new Error(`The coordinator cannot work at the moment. ${data.join('; ')}`)} />;
}
