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
    // One Ctrl-C under a parent that passes it on in its own way.
    [['SIGINT', 'SIGTERM', 'disconnect'], true, false],
  ])('%j: finish %s, give back %s', (events, finish, giveBack) => {
    expect(after(...events)).toEqual([finish, giveBack]);
  });

  it('a parent that was gone before we listened: finish', () => {
    const orphan = Object.assign(new EventEmitter(), { connected: false });
    expect(departureOf(orphan).finish.aborted).toBe(true);
  });
});
