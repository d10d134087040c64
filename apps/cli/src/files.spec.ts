import { mkdtemp, readdir, readFile, readlink, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readInput, readText, writeOutput, writeText } from './files.js';

describe('files', () => {
  let directory: string;
  const at = (name: string) => join(directory, name);

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'alphaflops-cli-files-'));
  });
  afterEach(async () => {
    await rm(directory, { recursive: true });
  });

  // eslint-disable-next-line @typescript-eslint/require-await -- a stream that breaks
  async function* breaking(): AsyncGenerator<string> {
    yield 'half of ';
    throw new Error('the source broke');
  }

  it('are replaced in full or not at all, and no other file remains', async () => {
    await writeText(at('out'), 'first');
    await expect(writeOutput(at('out'), breaking())).rejects.toThrow('the source broke');
    expect(await readFile(at('out'), 'utf8')).toBe('first');
    await writeText(at('out'), 'second');
    expect(await readFile(at('out'), 'utf8')).toBe('second');
    await expect(writeOutput(at('new'), breaking())).rejects.toThrow('the source broke');
    expect(await readdir(directory)).toEqual(['out']);
  });

  it('keep their mode and the link that points to them', async () => {
    await writeFile(at('real'), 'old', { mode: 0o600 });
    await symlink('real', at('link'));
    await writeText(at('link'), 'new');
    expect(await readlink(at('link'))).toBe('real');
    expect(await readFile(at('real'), 'utf8')).toBe('new');
    expect((await stat(at('real'))).mode & 0o777).toBe(0o600);
  });

  it('are named with the reason if they cannot be written', async () => {
    await expect(writeText(at('none/out'), 'x')).rejects.toMatchObject({
      code: 'bad-input',
      message: `Cannot write ${at('none/out')}: the file or directory does not exist.`,
    });
    await expect(writeText(directory, 'x')).rejects.toThrow('it is a directory');
    await writeText('/dev/null', 'x');
    expect((await stat('/dev/null')).isFile()).toBe(false);
  });

  it('are named with the reason if they cannot be read', async () => {
    await expect(readText(at('none'))).rejects.toThrow(
      `Cannot read ${at('none')}: the file or directory does not exist`,
    );
    await expect(readInput(directory).next()).rejects.toThrow('it is a directory');
  });
});
