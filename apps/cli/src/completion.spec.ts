import { candidates } from './completion.js';
import { createProgram } from './program.js';

const after = (...words: string[]) => candidates(createProgram(), words);
const namesAfter = (...words: string[]) => {
  const found = after(...words);
  return found === 'files' ? found : found.map(({ name }) => name);
};

describe('completion', () => {
  it('offers commands, then their commands and options', () => {
    expect(namesAfter()).toEqual(expect.arrayContaining(['fit', 'campaign', '--version']));
    expect(namesAfter()).not.toContain('completion-server');
    expect(namesAfter('campaign')).toEqual(expect.arrayContaining(['create', 'watch', '--help']));
    expect(namesAfter('campaign', 'show')).toEqual(expect.arrayContaining(['--url', '--json']));
    expect(namesAfter('campaign')).not.toContain('--url');
  });

  it('knows what an option takes', () => {
    expect(after('fit', '--data')).toBe('files');
    expect(after('up', '--data-dir')).toBe('files');
    expect(namesAfter('simulate', '--design')).toEqual(['random', 'networklike', 'adaptive']);
    expect(namesAfter('campaign', 'create', '--name')).toEqual([]);
    // the value is there: options again
    expect(namesAfter('fit', '--data', 'campaign')).toEqual(expect.arrayContaining(['--out']));
    expect(namesAfter('fit', '--json')).toEqual(expect.arrayContaining(['--out']));
  });

  it('offers the choices of an argument', () => {
    expect(namesAfter('completion')).toEqual(expect.arrayContaining(['bash', 'zsh', 'fish']));
  });
});
