import type { ApiRequest } from '@alphaflops/http';
import { addressFor, type JoinAddress, tokenFor } from './join-line.js';
import { joinLine } from './join-script.js';

const PIN = 'A'.repeat(43);
const address = (changes: Partial<JoinAddress> = {}): JoinAddress => ({
  ...{ host: '0.0.0.0', publicUrl: null, keyPin: null },
  ...changes,
});
const request = (host: string, protocol = 'http') => ({ get: () => host, protocol }) as unknown as ApiRequest;

/** The line that people paste. */
function lineOf(clientRequest: ApiRequest, to: JoinAddress): string {
  const url = addressFor(clientRequest, to);
  const token = tokenFor('af_join_secret', url, to);
  return joinLine({ url, pin: token === 'af_join_secret' ? null : to.keyPin }, token);
}

describe('the line to paste', () => {
  it('has the address that the client has used', () => {
    expect(lineOf(request('gpu-lab:8080'), address())).toBe(
      'curl -fsS http://gpu-lab:8080/join.sh | sh -s -- af_join_secret',
    );
  });

  it('has the public address if it is set, for any address that the client has used', () => {
    const to = address({ publicUrl: 'https://bench.example.org/alphaflops' });
    expect(lineOf(request('127.0.0.1:8080'), to)).toBe(
      'curl -fsS https://bench.example.org/alphaflops/join.sh | sh -s -- af_join_secret',
    );
  });

  it('carries the pin of a self-signed certificate, and no pin over plain http', () => {
    const to = address({ keyPin: PIN });
    const curlPin = `sha256//${Buffer.from(PIN, 'base64url').toString('base64')}`;
    expect(lineOf(request('gpu-lab:8443', 'https'), to)).toBe(
      `curl -fsS -k --pinnedpubkey '${curlPin}' https://gpu-lab:8443/join.sh | sh -s -- af_join_secret.${PIN}`,
    );
    expect(lineOf(request('gpu-lab:8080'), to)).not.toContain('pinned');
  });

  it('does not name the loopback address when other machines must reach it', () => {
    expect(addressFor(request('127.0.0.1:8080'), address())).not.toContain('127.0.0.1');
    expect(addressFor(request('127.0.0.1:8080'), address({ host: '127.0.0.1' }))).toBe(
      'http://127.0.0.1:8080',
    );
  });

  it('takes nothing from a Host header that a shell would interpret', () => {
    for (const host of ['$(touch /tmp/x)', 'a;b', "a'b", 'a b', '`id`', 'a|b', 'user@host']) {
      expect(lineOf(request(host), address())).toMatch(
        /^curl -fsS http:\/\/[\w.:[\]-]+\/join\.sh \| sh -s -- \w+$/,
      );
    }
  });
});
