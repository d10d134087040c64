import type { AccessStore } from '@alphaflops/store';
import type { NextFunction, Request, Response } from 'express';
import { identify } from './auth.guard.js';

/**
 * For browser pages that Nest does not serve. An admin may read them: the browser requests a password, which is the token,
 * with any user name. A browser sends this password again by itself, even in requests that another site triggers.
 * Therefore only reading is allowed.
 */
export function adminsOnly(tokens: AccessStore) {
  return (request: Request, response: Response, next: NextFunction): void => {
    if (request.method !== 'GET') {
      response.status(405).setHeader('Allow', 'GET').end('This page is read-only.');
      return;
    }
    isAdmin(tokens, request.header('authorization') ?? '').then((may) => {
      if (may) next();
      else {
        response
          .status(401)
          .setHeader('WWW-Authenticate', 'Basic realm="alphaflops: an admin token as password"');
        response.end('The password must be an admin token.');
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
