import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Log } from './log.js';
import { ReferenceTimes } from './reference-times.js';

const lines: string[] = [];
const log = { warn: (text: string) => lines.push(text) } as unknown as Log;
let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'alphaflops-references-'));
});
afterEach(() => rm(directory, { recursive: true }));

it('keeps the best time of each device over restarts, by its class', async () => {
  const file = join(directory, 'reference-times.json');
  const times = await ReferenceTimes.read(file, log);
  expect(times.of('class-a', 'device-a')).toBeNull();
  await times.keep('class-a', 'device-a', 1.25);
  await times.keep('class-b', 'device-b', null);
  const again = await ReferenceTimes.read(file, log);
  expect(again.of('class-a', 'device-a')).toBe(1.25);
  expect(again.of('class-b', 'device-a')).toBeNull();
  expect(again.of('class-b', 'device-b')).toBeNull();
});

it('works without a file that cannot be read or written', async () => {
  const file = join(directory, 'broken.json');
  await writeFile(file, '{"a": ');
  expect((await ReferenceTimes.read(file, log)).of('a', 'b')).toBeNull();
  const nowhere = await ReferenceTimes.read(join(directory, 'no', 'such', 'file'), log);
  await nowhere.keep('a', 'b', 1);
  expect(nowhere.of('a', 'b')).toBe(1);
  expect(lines).toEqual([expect.stringMatching(/Cannot store the undisturbed time/)]);
});
