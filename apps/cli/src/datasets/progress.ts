/** Shows the number of processed rows in one line of a terminal. Without a terminal it prints nothing. */
export function rowProgress(output: Pick<NodeJS.WriteStream, 'isTTY' | 'write'> = process.stderr) {
  let shownAt = 0;
  return {
    update: (rows: number): void => {
      const now = Date.now();
      if (!output.isTTY || now - shownAt < 200) return;
      shownAt = now;
      output.write(`\r  ${rows} rows`);
    },
    stop: (): void => {
      if (shownAt > 0) output.write('\r\u001b[K');
    },
  };
}
