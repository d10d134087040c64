import type { Health } from '@alphaflops/contracts';

/** A part that has not answered after this time counts as unavailable. */
const CHECK_WITHIN_MS = 2_000;

/**
 * Checks whether the parts that a process depends on answer.
 * @param checks one check per part name; each throws when its part does not work
 */
export async function readiness(checks: Readonly<Record<string, () => Promise<void>>>): Promise<Health> {
  const answered = await Promise.all(
    Object.entries(checks).map(async ([part, check]) => [part, await answerOf(check)] as const),
  );
  const isReady = answered.every(([, answer]) => answer === 'ok');
  return { status: isReady ? 'ok' : 'unavailable', checks: Object.fromEntries(answered) };
}

async function answerOf(check: () => Promise<void>): Promise<string> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<string>((resolve) => {
    timer = setTimeout(() => {
      resolve('no answer');
    }, CHECK_WITHIN_MS);
  });
  try {
    return await Promise.race([check().then(() => 'ok'), late]);
  } catch (error) {
    return error instanceof Error ? error.message : 'failed';
  } finally {
    clearTimeout(timer);
  }
}
