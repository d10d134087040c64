import { styleText } from 'node:util';
import { errorText } from '@alphaflops/contracts/text';
import { CommanderError } from 'commander';
import { EXIT, exitCodeOf } from './exit-code.js';
import { createProgram } from './program.js';
import { guardConsole } from './terminal.js';

// Whoever reads us has read enough (`alphaflops model list | head`).
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  process.exit(error.code === 'EPIPE' ? EXIT.done : EXIT.failed);
});

guardConsole();
try {
  await createProgram().parseAsync();
} catch (error) {
  // Commander has said by itself what it did not understand.
  if (!(error instanceof CommanderError)) {
    console.error(`${styleText('red', 'error:', { stream: process.stderr })} ${errorText(error)}`);
  }
  process.exitCode = exitCodeOf(error);
}
// What a slow reader of a pipe has not taken yet would be lost.
for (const stream of [process.stdout, process.stderr]) {
  await new Promise<void>((written) => {
    stream.write('', () => {
      written();
    });
  });
}
// Connections that are kept open for a next request would keep the process for some seconds.
process.exit();
