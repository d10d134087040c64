import { spawn } from 'node:child_process';
import { firstLine } from './first-line.js';

const child = (program: string) => spawn(process.execPath, ['--eval', program], { stdio: 'pipe' });

it('returns the first line that a child writes', async () => {
  expect(await firstLine(child('console.log("one"); console.log("two")'))).toBe('one');
});

it('throws with the error output of a child that ends first', async () => {
  const ended = firstLine(child('console.error("no such file"); process.exitCode = 3'));
  await expect(ended).rejects.toThrow(/ended \(3\) before it wrote a line:\nno such file/);
});

it('throws when the program cannot be started', async () => {
  const missing = spawn('/no/such/program', [], { stdio: 'pipe' });
  await expect(firstLine(missing)).rejects.toThrow(/ENOENT/);
});
