import { duration, keyValue, list, positiveNumber, seed, share, wholeNumber } from './options.js';

describe('option values', () => {
  it('are decimal numbers within their range', () => {
    expect(wholeNumber(1)('1e3')).toBe(1000);
    expect(seed('4294967295')).toBe(4_294_967_295);
    expect(share('.9')).toBe(0.9);
    expect(positiveNumber('5e8')).toBe(5e8);
    for (const text of ['0', '-1', '1.5', '0x10', '', 'NaN', 'Infinity', '1e400']) {
      expect(() => wholeNumber(1)(text)).toThrow('whole number of at least 1');
    }
    expect(() => seed('4294967296')).toThrow('from 0 to 4294967295');
    for (const text of ['0', '1', '90', 'x']) expect(() => share(text)).toThrow('between 0 and 1');
    for (const text of ['0', '-3', '1e999', 'x']) expect(() => positiveNumber(text)).toThrow('above 0');
  });

  it('are times with a unit', () => {
    expect(['90s', '30m', '2h', '7d'].map(duration)).toEqual([90, 1800, 7200, 604_800]);
    for (const text of ['0s', '5', 'h', '1w', '-1h', '1.5h']) expect(() => duration(text)).toThrow('such as');
  });

  it('are collected if an option is repeated', () => {
    expect(keyValue('b=2=3', keyValue('a=1'))).toEqual({ a: '1', b: '2=3' });
    expect(() => keyValue('=1')).toThrow('key=value');
    expect(list('c', list('a, b'))).toEqual(['a', 'b', 'c']);
    expect(() => list('a,,b')).toThrow('separated by commas');
  });
});
