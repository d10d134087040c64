import type { NewApiToken, SignInCode, SignInCodeRequest } from '@alphaflops/contracts';
import { ApiProblem } from '@alphaflops/http/problem';
import { newSecret, sha256 } from '@alphaflops/http/secrets';
import { AccessStore } from '@alphaflops/store';
import { Injectable } from '@nestjs/common';
import { blankToken, SESSION_S, TokensService } from './tokens.service.js';

const REFUSALS = {
  unknown: 'is unknown',
  expired: 'has expired',
  revoked: 'was revoked',
  'used-up': 'was used before: it works once',
} as const;

/** Sign-in links: each opens one session, a token of the API that expires after some hours. */
@Injectable()
export class SignInService {
  constructor(
    private readonly store: AccessStore,
    private readonly tokens: TokensService,
  ) {}

  async createCode({ role, expiresInS }: SignInCodeRequest): Promise<SignInCode> {
    const code = newSecret('sign-in');
    const base = blankToken();
    const expiresAt = new Date(Date.parse(base.createdAt) + expiresInS * 1000).toISOString();
    const record = { ...base, kind: 'sign-in', hash: sha256(code), name: 'sign-in link', expiresAt } as const;
    await this.store.putToken({ ...record, maxUses: 1, role });
    return { id: base.id, role, expiresAt, code, path: `/#/sign-in/${code}` };
  }

  /**
   * Opens the session of a code. If several requests send one code at the same time, one of them gets the session.
   * @param codeHash sha-256 of the code
   * @throws ApiProblem 401 when the code is used, expired or revoked
   */
  async open(codeHash: string): Promise<NewApiToken> {
    const used = await this.store.consumeToken('sign-in', codeHash, new Date().toISOString());
    if (!used.ok) {
      throw new ApiProblem(
        401,
        `${used.reason}-token`,
        `The sign-in link ${REFUSALS[used.reason]}. Make a new one with "alphaflops token link" on the machine of the coordinator, or sign in with a token.`,
      );
    }
    const { role = 'read-only', id } = used.token;
    const name = `dashboard, by sign-in link ${id.slice(0, 8)}`;
    const { token, secret } = await this.tokens.createApiToken({ name, role, expiresInS: SESSION_S });
    return { ...token, token: secret };
  }
}
