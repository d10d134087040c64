import { styleText } from 'node:util';
import { errorText } from '@alphaflops/contracts/text';
import { CommanderError } from 'commander';
import { EXIT, exitCodeOf } from './exit-code.js';
import { createProgram } from './program.js';
import { guardConsole } from './terminal.js';

// The reader of a pipe has ended and needs no more lines (`alphaflops model list | head`).
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  process.exit(error.code === 'EPIPE' ? EXIT.done : EXIT.failed);
});

guardConsole();
try {
  await createProgram().parseAsync();
} catch (error) {
  // Commander has already printed its own errors.
  if (!(error instanceof CommanderError)) {
    console.error(`${styleText('red', 'error:', { stream: process.stderr })} ${errorText(error)}`);
  }
  process.exitCode = exitCodeOf(error);
}
// Without this, text that a slow reader of a pipe has not read yet is lost.
for (const stream of [process.stdout, process.stderr]) {
  await new Promise<void>((written) => {
    stream.write('', () => {
      written();
    });
  });
}
// Open connections for a next request would delay the end of the process by some seconds.
process.exit();
