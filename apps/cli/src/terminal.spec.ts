import { printable } from '@alphaflops/contracts';
import { styled } from './terminal.js';

it.each([
  ['\u001b[2J\u001b]0;title\u0007', '\\u001b[2J\\u001b]0;title\\u0007'],
  ['\u009b31m and \u007f and \r', '\\u009b31m and \\u007f and \\u000d'],
  ['right to left \u202e here', 'right to left \\u202e here'],
  ['two\n\tlines, Größe', 'two\n\tlines, Größe'],
])('escapes control sequences of a terminal: %j', (text, shown) => {
  expect(printable(text)).toBe(shown);
  expect(styled(text)).toBe(shown);
});

it('keeps only our own styles on a terminal', () => {
  const text = '\u001b[1mname\u001b[22m \u001b[5mblink';
  expect(styled(text)).toBe('\u001b[1mname\u001b[22m \\u001b[5mblink');
  expect(printable(text)).not.toContain('\u001b');
});

it('does not change JSON', () => {
  const value = { name: 'a\u009b\u001b[2J' };
  expect(JSON.parse(printable(JSON.stringify(value, null, 2)))).toEqual(value);
});
