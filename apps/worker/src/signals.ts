/** When and how to leave. */
export interface DepartureSignals {
  /** After the current batch: SIGTERM, SIGINT, or the end of a parent with an IPC channel to this process. */
  readonly finish: AbortSignal;
  /** At once, and the current batch is returned: SIGQUIT, or the same signal a second time. */
  readonly giveBack: AbortSignal;
}

/**
 * A Ctrl-C in a terminal may arrive several times if the parent forwards it (SIGINT, then SIGTERM, then the end of its
 * channel). So only a repetition of the same signal returns the batch.
 */
export function departureOf(program: NodeJS.EventEmitter & { connected?: boolean }): DepartureSignals {
  const finish = new AbortController();
  const giveBack = new AbortController();
  for (const signal of ['SIGTERM', 'SIGINT']) {
    program.once(signal, () => {
      finish.abort();
      program.on(signal, () => {
        giveBack.abort();
      });
    });
  }
  program.on('SIGQUIT', () => {
    giveBack.abort();
    finish.abort();
  });
  program.on('disconnect', () => {
    finish.abort();
  });
  // The parent ended before this process listened.
  if (program.connected === false) finish.abort();
  return { finish: finish.signal, giveBack: giveBack.signal };
}
