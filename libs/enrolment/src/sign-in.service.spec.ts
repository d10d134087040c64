import type { Stores } from '@alphaflops/store';
import { openTemporaryStores } from '@alphaflops/store-sqlite/testing';
import { hashOf } from './enrolment.spec-helper.js';
import { SignInService } from './sign-in.service.js';
import { TokensService } from './tokens.service.js';

const now = () => new Date().toISOString();

let stores: Stores;
let cleanUp: () => Promise<void>;
let tokens: TokensService;
let signIn: SignInService;
beforeEach(async () => {
  ({ stores, cleanUp } = await openTemporaryStores());
  tokens = new TokensService(stores.access);
  signIn = new SignInService(stores.access, tokens);
});
afterEach(() => cleanUp());

describe('a sign-in link', () => {
  it('opens one session, with its role, that expires', async () => {
    const { code, path } = await signIn.createCode({ role: 'read-only', expiresInS: 600 });
    expect(path).toBe(`/#/sign-in/${code}`);
    const attempts = await Promise.allSettled([signIn.open(hashOf(code)), signIn.open(hashOf(code))]);
    const opened = attempts.flatMap((attempt) => (attempt.status === 'fulfilled' ? [attempt.value] : []));
    expect(opened).toHaveLength(1);
    expect(opened[0]?.role).toBe('read-only');
    const hours = (Date.parse(opened[0]?.expiresAt ?? '') - Date.now()) / 3_600_000;
    expect(hours).toBeGreaterThan(11.9);
    expect(hours).toBeLessThanOrEqual(12);
    await expect(signIn.open(hashOf(code))).rejects.toMatchObject({ status: 401, code: 'used-up-token' });
    const [session] = await stores.access.tokens('read-only');
    expect(session?.hash).toBe(hashOf(opened[0]?.token ?? ''));
  });

  it('opens no session after it has expired or was revoked; an unknown code opens none either', async () => {
    const expired = await signIn.createCode({ role: 'admin', expiresInS: -1 });
    await expect(signIn.open(hashOf(expired.code))).rejects.toMatchObject({ code: 'expired-token' });
    const revoked = await signIn.createCode({ role: 'admin', expiresInS: 600 });
    await stores.access.revokeTokens({ id: revoked.id }, now());
    await expect(signIn.open(hashOf(revoked.code))).rejects.toMatchObject({ code: 'revoked-token' });
    await expect(signIn.open(hashOf('another'))).rejects.toMatchObject({ code: 'unknown-token' });
    expect(await tokens.apiTokens()).toEqual([]);
  });
});

describe('tokens of the API', () => {
  it('start with one admin token, for any start order, and only its digest is stored', async () => {
    const secrets = await Promise.all([tokens.createFirstAdmin(), tokens.createFirstAdmin()]);
    const [secret] = secrets.filter((one) => one !== null);
    expect(secrets).toContain(null);
    const stored = await stores.access.tokens('admin');
    expect(stored.map(({ hash }) => hash)).toEqual([hashOf(secret ?? '')]);
    expect(JSON.stringify(stored)).not.toContain(secret);
    expect(await tokens.createFirstAdmin()).toBeNull();
  });

  it('keep the last permanent admin token: a session does not count', async () => {
    await tokens.createFirstAdmin();
    const [{ id } = { id: '' }] = await tokens.apiTokens();
    const { code } = await signIn.createCode({ role: 'admin', expiresInS: 600 });
    await signIn.open(hashOf(code));
    await expect(tokens.revokeApiToken(id)).rejects.toMatchObject({ status: 409, code: 'last-admin' });
    await tokens.createApiToken({ name: 'second', role: 'admin', expiresInS: null });
    await tokens.revokeApiToken(id);
    const revoked = (await tokens.apiTokens()).find((token) => token.id === id);
    expect(revoked?.revokedAt).not.toBeNull();
    await expect(tokens.revokeApiToken('unknown')).rejects.toMatchObject({ status: 404 });
  });

  it('are all replaced when the admin token is lost, including unused sign-in links', async () => {
    await tokens.createFirstAdmin();
    const { code } = await signIn.createCode({ role: 'admin', expiresInS: 600 });
    const secret = await tokens.replaceAdmin();
    const live = (await stores.access.tokens('admin')).filter(({ revokedAt }) => revokedAt === null);
    expect(live.map(({ hash }) => hash)).toEqual([hashOf(secret)]);
    await expect(signIn.open(hashOf(code))).rejects.toMatchObject({ code: 'revoked-token' });
  });
});
