import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { writeDirectory } from './write-directory.js';

const directory = mkdtempSync(join(tmpdir(), 'alphaflops-write-'));
afterAll(() => {
  rmSync(directory, { recursive: true });
});

const fileAt = (path: string) => ({
  path,
  // eslint-disable-next-line @typescript-eslint/require-await -- a stream of one piece
  content: async function* () {
    yield 'x';
  },
});

describe('the directory of a data set', () => {
  it.each(['models/../../../up.json', '/etc/up', '..\\up', 'models/..', './up', ''])(
    'has no file %j, and is not begun',
    async (path) => {
      const files = [fileAt('README.md'), fileAt(path)];
      await expect(writeDirectory(join(directory, 'out'), files)).rejects.toMatchObject({
        code: 'bad-input',
        message: expect.stringContaining('is not within') as string,
      });
      expect(readdirSync(directory)).toEqual([]);
    },
  );

  it('is written with its folders', async () => {
    await writeDirectory(join(directory, 'out'), [fileAt('models/a..b-v1.json')]);
    expect(readFileSync(join(directory, 'out/models/a..b-v1.json'), 'utf8')).toBe('x');
  });
});
