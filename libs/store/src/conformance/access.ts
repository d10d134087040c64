import type { AccessStore } from '../access-store.js';
import { buildToken, timeAt } from './builders.js';
import { HOSTILE_STRINGS, nearMisses } from './collect.js';

const NOW = timeAt(0);

export function describeAccessStore(access: () => AccessStore): void {
  describe('tokens', () => {
    it('finds a token only by its hash', async () => {
      const token = buildToken({
        kind: 'worker',
        workerId: 'worker-a',
        name: 'Zoë “α”',
        expiresAt: timeAt(9),
      });
      await access().putToken(token);
      expect(await access().tokenByHash(token.hash)).toEqual(token);
      for (const hash of [token.id, ...HOSTILE_STRINGS, ...nearMisses(token.hash)]) {
        if (hash !== token.hash) expect(await access().tokenByHash(hash)).toBeNull();
      }
    });

    it('adds only the first of several tokens with the same id that arrive at the same time', async () => {
      const tokens = Array.from({ length: 6 }, () => buildToken({ id: 'the-first', kind: 'admin' }));
      const added = await Promise.all(tokens.map((token) => access().addToken(token)));
      expect(added.filter(Boolean)).toHaveLength(1);
      expect(await access().tokens('admin')).toEqual(tokens.filter((_, i) => added[i]));
      expect(await access().addToken(buildToken({ id: 'the-first' }))).toBe(false);
      expect(await access().tokens('admin')).toHaveLength(1);
    });

    it('lists the tokens of one kind', async () => {
      const tokens = (['admin', 'join', 'join', 'worker', 'operator'] as const).map((kind) =>
        buildToken({ kind }),
      );
      for (const token of tokens) await access().putToken(token);
      const joins = await access().tokens('join');
      expect(joins).toHaveLength(2);
      expect(joins).toEqual(expect.arrayContaining(tokens.slice(1, 3)));
      expect(await access().tokens('admin')).toEqual(tokens.slice(0, 1));
      expect(await access().tokens('operator')).toEqual(tokens.slice(4));
      expect(await access().tokens('read-only')).toEqual([]);
    });

    it('counts uses up to the limit', async () => {
      const token = buildToken({ maxUses: 2 });
      await access().putToken(token);
      for (let use = 1; use <= 2; use++) {
        const result = await access().consumeToken('join', token.hash, NOW);
        expect(result).toMatchObject({ ok: true, token: { id: token.id, labels: token.labels } });
        expect((await access().tokenByHash(token.hash))?.uses).toBe(use);
      }
      expect(await access().consumeToken('join', token.hash, NOW)).toEqual({ ok: false, reason: 'used-up' });
      expect((await access().tokenByHash(token.hash))?.uses).toBe(2);
    });

    it('accepts no more callers than the token has uses, when all call at the same time', async () => {
      const token = buildToken({ maxUses: 3 });
      await access().putToken(token);
      const results = await Promise.all(
        Array.from({ length: 12 }, () => access().consumeToken('join', token.hash, NOW)),
      );
      expect(results.filter((r) => r.ok)).toHaveLength(3);
      const refused = results.filter((r) => !r.ok).map((r) => r.reason);
      expect(refused).toEqual(Array.from({ length: 9 }, () => 'used-up'));
      expect((await access().tokenByHash(token.hash))?.uses).toBe(3);
    });

    it('accepts a sign-in code once, and keeps the role of its session', async () => {
      const code = buildToken({ kind: 'sign-in', role: 'operator', maxUses: 1 });
      await access().putToken(code);
      const results = await Promise.all(
        Array.from({ length: 12 }, () => access().consumeToken('sign-in', code.hash, NOW)),
      );
      expect(results.filter((result) => result.ok)).toEqual([
        { ok: true, token: { ...code, uses: 1, role: 'operator' } },
      ]);
      expect(await access().tokens('sign-in')).toEqual([{ ...code, uses: 1 }]);
    });

    it('accepts every caller when the token has no limit', async () => {
      const token = buildToken();
      await access().putToken(token);
      await Promise.all(Array.from({ length: 8 }, () => access().consumeToken('join', token.hash, NOW)));
      expect((await access().tokenByHash(token.hash))?.uses).toBe(8);
    });

    it('returns why a token is refused, and does not count the use', async () => {
      const expired = buildToken({ expiresAt: timeAt(-1) });
      const revoked = buildToken({ revokedAt: timeAt(-1) });
      const admin = buildToken({ kind: 'admin' });
      // Times are compared as instants: “12:00:00Z” is before “12:00:00.001Z”, but comes after it in text order.
      const soon = buildToken({ expiresAt: timeAt(1) });
      for (const token of [expired, revoked, admin, soon]) await access().putToken(token);
      const consume = (hash: string, now = NOW) => access().consumeToken('join', hash, now);
      expect(await consume(expired.hash)).toEqual({ ok: false, reason: 'expired' });
      expect(await consume(revoked.hash)).toEqual({ ok: false, reason: 'revoked' });
      expect(await consume(admin.hash)).toEqual({ ok: false, reason: 'unknown' });
      for (const hash of HOSTILE_STRINGS) {
        expect(await consume(hash)).toEqual({ ok: false, reason: 'unknown' });
      }
      expect(await consume(soon.hash, NOW.replace('.000Z', 'Z'))).toMatchObject({ ok: true });
      expect(await consume(soon.hash, timeAt(2))).toEqual({ ok: false, reason: 'expired' });
      for (const token of [expired, revoked, admin]) {
        expect(await access().tokenByHash(token.hash)).toEqual(token);
      }
    });

    it('revokes one token by id', async () => {
      const [token, other] = [buildToken(), buildToken()];
      await access().putToken(token);
      await access().putToken(other);
      expect(await access().revokeTokens({ id: token.id }, NOW)).toBe(1);
      expect(await access().tokenByHash(token.hash)).toEqual({ ...token, revokedAt: NOW });
      expect(await access().consumeToken('join', token.hash, NOW)).toEqual({ ok: false, reason: 'revoked' });
      expect(await access().tokenByHash(other.hash)).toEqual(other);
    });

    it('revokes all tokens of a worker and counts those that were not revoked before', async () => {
      const mine = [{}, { expiresAt: timeAt(100) }, { expiresAt: timeAt(-1) }, { revokedAt: timeAt(-5) }].map(
        (o) => buildToken({ kind: 'worker', workerId: 'worker-a', ...o }),
      );
      const other = buildToken({ kind: 'worker', workerId: 'worker-b' });
      for (const token of [...mine, other]) await access().putToken(token);
      expect(await access().revokeTokens({ workerId: 'worker-a' }, NOW)).toBe(2);
      expect(await access().revokeTokens({ workerId: 'worker-a' }, timeAt(50))).toBe(0);
      const revokedAt = await Promise.all(
        mine.map(async (t) => (await access().tokenByHash(t.hash))?.revokedAt),
      );
      expect(revokedAt.slice(0, 2)).toEqual([NOW, NOW]);
      expect(revokedAt[3]).toBe(timeAt(-5));
      expect(await access().tokenByHash(other.hash)).toEqual(other);
      for (const text of HOSTILE_STRINGS) {
        expect(await access().revokeTokens({ id: text }, NOW)).toBe(0);
        expect(await access().revokeTokens({ workerId: text }, NOW)).toBe(0);
      }
    });
  });

  describe('idempotency keys', () => {
    const LONG_AGO = timeAt(-86_400_000);
    const claim = (
      key: string,
      digest = 'digest-1',
      now = NOW,
      expireBefore = LONG_AGO,
      abandonedBefore = LONG_AGO,
    ) => access().claimIdempotencyKey(key, digest, now, { expireBefore, abandonedBefore });

    it('returns the stored response to a repeated request', async () => {
      expect(await claim('k')).toBeNull();
      expect(await claim('k')).toMatchObject({ requestDigest: 'digest-1', body: null });
      const body = '{"id":"campaign-a","name":"Zoë \u0000 “α”"}';
      await access().storeResponse('k', 202, body);
      const stored = { requestDigest: 'digest-1', status: 202, body };
      expect(await claim('k')).toEqual(stored);
      expect(await claim('k', 'digest-2')).toEqual(stored);
      expect(await claim('another')).toBeNull();
    });

    it('returns the digest of the first request when another request uses its key', async () => {
      expect(await claim('k')).toBeNull();
      expect(await claim('k', 'digest-2')).toMatchObject({ requestDigest: 'digest-1', body: null });
    });

    it('grants a key to exactly one of many concurrent requests', async () => {
      const results = await Promise.all(Array.from({ length: 10 }, (_, i) => claim('k', `digest-${i}`)));
      expect(results.filter((r) => r === null)).toHaveLength(1);
      const winner = `digest-${results.indexOf(null)}`;
      for (const seen of results.filter((r) => r !== null)) expect(seen.requestDigest).toBe(winner);
    });

    it('grants a released key again', async () => {
      expect(await claim('k')).toBeNull();
      await access().releaseIdempotencyKey('k');
      expect(await claim('k', 'digest-2')).toBeNull();
      expect(await claim('k')).toMatchObject({ requestDigest: 'digest-2' });
    });

    it('deletes keys that are older than the limit', async () => {
      await claim('old', 'digest-1', timeAt(0));
      await access().storeResponse('old', 201, '{}');
      await claim('young', 'digest-1', timeAt(1000));
      expect(await claim('old', 'digest-2', timeAt(2000), timeAt(0))).toMatchObject({ status: 201 });
      expect(await claim('old', 'digest-2', timeAt(2000), timeAt(1))).toBeNull();
      expect(await claim('young', 'digest-2', timeAt(2000), timeAt(1))).toMatchObject({
        requestDigest: 'digest-1',
      });
    });

    it('grants an abandoned claim to the same request, once', async () => {
      const again = (digest: string, abandonedBefore: string) =>
        claim('k', digest, timeAt(5000), LONG_AGO, abandonedBefore);
      const inProgress = { requestDigest: 'digest-1', body: null };
      expect(await claim('k', 'digest-1', timeAt(0))).toBeNull();
      expect(await again('digest-1', timeAt(0))).toMatchObject(inProgress);
      await access().renewIdempotencyKey('k', timeAt(1000));
      expect(await again('digest-1', timeAt(1000))).toMatchObject(inProgress);
      expect(await again('digest-2', timeAt(1001))).toMatchObject(inProgress);
      const takers = await Promise.all(Array.from({ length: 6 }, () => again('digest-1', timeAt(1001))));
      expect(takers.filter((taken) => taken === null)).toHaveLength(1);
      for (const seen of takers.filter((taken) => taken !== null)) expect(seen).toMatchObject(inProgress);
      await access().storeResponse('k', 201, '{}');
      expect(await again('digest-1', timeAt(9000))).toMatchObject({ status: 201, body: '{}' });
    });

    it('does not renew a key without a claim', async () => {
      await access().renewIdempotencyKey('k', NOW);
      expect(await claim('k')).toBeNull();
    });

    it('accepts any string as a key', async () => {
      for (const key of HOSTILE_STRINGS) {
        expect(await claim(key, key)).toBeNull();
        await access().storeResponse(key, 200, JSON.stringify(key));
      }
      for (const key of HOSTILE_STRINGS) {
        expect(await claim(key)).toMatchObject({ status: 200, body: JSON.stringify(key) });
        await access().releaseIdempotencyKey(`${key}\u0000`);
      }
    });
  });
}
