/** When to leave, and how. */
export interface DepartureSignals {
  /** After the batch in hand: SIGTERM, SIGINT, or the end of a parent that has an IPC channel to us. */
  readonly finish: AbortSignal;
  /** At once, the batch in hand given back: SIGQUIT, or the same signal a second time. */
  readonly giveBack: AbortSignal;
}

/**
 * Ctrl-C in a terminal reaches us twice when our parent passes it on in its own way (SIGINT, then SIGTERM, then the end
 * of its channel): only the same signal again means that the batch is given back.
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
  // The parent was gone before we listened.
  if (program.connected === false) finish.abort();
  return { finish: finish.signal, giveBack: giveBack.signal };
}
