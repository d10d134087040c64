import { Log } from './log.js';

function lines(options: { level: 'error' | 'log'; json: boolean }): string[] {
  const written: string[] = [];
  const log = new Log(options, (line) => written.push(line)).with({ worker: 'w1' });
  log.info('measured', { n: 8 });
  log.error('two\nlines', { reason: null });
  return written;
}

describe('log', () => {
  it('writes a line for people', () => {
    expect(lines({ level: 'log', json: false })).toEqual([
      expect.stringMatching(/^\d{4}-\S+Z {2}measured {2}worker=w1 {2}n=8\n$/),
      expect.stringMatching(/Z {2}error: two lines {2}worker=w1 {2}reason=null\n$/),
    ]);
  });

  it('writes no control sequences for a terminal', () => {
    const written: string[] = [];
    const log = new Log({ level: 'log', json: false }, (line) => written.push(line));
    log.info('paused (\u001b[2J)', { name: 'a\rb' });
    expect(written).toEqual([expect.stringMatching(/paused \(\\u001b\[2J\) {2}name=a\\u000db\n$/)]);
  });

  it('writes an object for programs, and nothing below its level', () => {
    const written = lines({ level: 'error', json: true });
    expect(written.map((line) => JSON.parse(line) as unknown)).toEqual([
      { time: expect.any(String), level: 'error', message: 'two\nlines', worker: 'w1', reason: null },
    ]);
  });
});
