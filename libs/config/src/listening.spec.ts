import type { networkInterfaces } from 'node:os';
import { httpUrl, isLoopback, localHost, publicHost } from './index.js';

const INTERFACES = {
  lo: [{ address: '127.0.0.1', family: 'IPv4', internal: true }],
  eth0: [
    { address: 'fe80::1', family: 'IPv6', internal: false },
    { address: '192.0.2.7', family: 'IPv4', internal: false },
  ],
} as unknown as ReturnType<typeof networkInterfaces>;

describe('addresses', () => {
  it('are local for this machine and external for other machines', () => {
    expect(httpUrl(localHost('0.0.0.0'), 8080)).toBe('http://127.0.0.1:8080');
    expect(httpUrl(localHost('192.0.2.9'), 8080)).toBe('http://192.0.2.9:8080');
    expect(publicHost('0.0.0.0', INTERFACES)).toBe('192.0.2.7');
    expect(publicHost('127.0.0.1', INTERFACES)).toBe('192.0.2.7');
    expect(publicHost('gpu.example', INTERFACES)).toBe('gpu.example');
    expect(publicHost('0.0.0.0', {})).not.toBe('0.0.0.0');
    expect(httpUrl('fd00::2', 80)).toBe('http://[fd00::2]:80');
  });

  it('of loopback are recognized', () => {
    expect(['127.0.0.1', '127.1.2.3', '::1', 'localhost'].every(isLoopback)).toBe(true);
    expect(['0.0.0.0', '::', '192.0.2.7'].some(isLoopback)).toBe(false);
  });
});
