import { candidates } from './completion.js';
import { createProgram } from './program.js';

const after = (...words: string[]) => candidates(createProgram(), words);
const namesAfter = async (...words: string[]) => {
  const found = await after(...words);
  return found === 'files' ? found : found.map(({ name }) => name);
};

describe('completion', () => {
  it('offers commands, then their commands and options', async () => {
    expect(await namesAfter()).toEqual(expect.arrayContaining(['fit', 'campaign', '--version']));
    expect(await namesAfter()).not.toContain('completion-server');
    expect(await namesAfter('campaign')).toEqual(expect.arrayContaining(['create', 'watch', '--help']));
    expect(await namesAfter('campaign', 'show')).toEqual(expect.arrayContaining(['--url', '--json']));
    expect(await namesAfter('campaign')).not.toContain('--url');
  });

  it('completes the value of an option', async () => {
    expect(await after('fit', '--data')).toBe('files');
    expect(await after('up', '--data-dir')).toBe('files');
    expect(await namesAfter('simulate', '--design')).toEqual(['random', 'networklike', 'adaptive', 'csv']);
    expect(await namesAfter('campaign', 'create', '--name')).toEqual([]);
    // the value is there: options again
    expect(await namesAfter('fit', '--data', 'campaign')).toEqual(expect.arrayContaining(['--out']));
    expect(await namesAfter('fit', '--json')).toEqual(expect.arrayContaining(['--out']));
  });

  it('offers the choices of an argument', async () => {
    expect(await namesAfter('completion')).toEqual(expect.arrayContaining(['bash', 'zsh', 'fish']));
  });
});
