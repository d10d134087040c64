import type { AccessStore } from '@alphaflops/store';
import type { NextFunction, Request, Response } from 'express';
import { identify } from './auth.guard.js';

/**
 * For pages that a browser opens and that are not Nest's: lets an admin look, with the token as the password that the
 * browser asks for (any user name). A browser sends that password again by itself, also when another site makes it ask,
 * so that nothing but looking is allowed.
 */
export function adminsOnly(tokens: AccessStore) {
  return (request: Request, response: Response, next: NextFunction): void => {
    if (request.method !== 'GET') {
      response.status(405).setHeader('Allow', 'GET').end('This page is to look at.');
      return;
    }
    isAdmin(tokens, request.header('authorization') ?? '').then((may) => {
      if (may) next();
      else {
        response
          .status(401)
          .setHeader('WWW-Authenticate', 'Basic realm="alphaflops: an admin token as password"');
        response.end('An admin token is needed, as the password.');
      }
    }, next);
  };
}

async function isAdmin(tokens: AccessStore, header: string): Promise<boolean> {
  const [scheme = '', value = ''] = header.split(' ');
  const secret =
    scheme.toLowerCase() === 'basic'
      ? Buffer.from(value, 'base64').toString().split(':').slice(1).join(':')
      : value;
  const principal = await identify(tokens, secret, 'admin').catch(() => null);
  return principal?.kind === 'api' && principal.role === 'admin';
}
