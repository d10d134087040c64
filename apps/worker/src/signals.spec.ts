import { EventEmitter } from 'node:events';
import { departureOf } from './signals.js';

function after(...events: string[]): [finish: boolean, giveBack: boolean] {
  const program = new EventEmitter();
  const { finish, giveBack } = departureOf(program);
  for (const event of events) program.emit(event);
  return [finish.aborted, giveBack.aborted];
}

describe('signals', () => {
  it.each([
    [[], false, false],
    [['SIGTERM'], true, false],
    [['SIGINT'], true, false],
    [['disconnect'], true, false],
    [['SIGQUIT'], true, true],
    [['SIGTERM', 'SIGTERM'], true, true],
    [['SIGINT', 'SIGINT'], true, true],
    [['SIGTERM', 'SIGQUIT'], true, true],
    // One Ctrl-C, with a parent process that forwards it too.
    [['SIGINT', 'SIGTERM', 'disconnect'], true, false],
  ])('%j: finish %s, give back %s', (events, finish, giveBack) => {
    expect(after(...events)).toEqual([finish, giveBack]);
  });

  it('a parent that ended before the process listened: finish', () => {
    const orphan = Object.assign(new EventEmitter(), { connected: false });
    expect(departureOf(orphan).finish.aborted).toBe(true);
  });
});
