import { ACCESS_ROLES, type AccessRole } from '@alphaflops/contracts';
import { applyDecorators, SetMetadata } from '@nestjs/common';
import type { Reflector } from '@nestjs/core';
import { describedBy } from './api-description.js';

/** Secrets with a limited number of uses, and their names for people. */
export const SPENT = { join: 'join token', 'sign-in': 'sign-in link' } as const;

/**
 * Who may call a route: everybody, an API token with this role or a higher one, or only a worker, a join token or the
 * code of a sign-in link.
 */
export type Access = 'public' | AccessRole | 'worker' | keyof typeof SPENT;

const ACCESS = 'alphaflops:access';

/** Declares who may call a route. Every route must declare it, otherwise the coordinator does not start. */
export const AllowAccess = (access: Access) =>
  applyDecorators(
    SetMetadata(ACCESS, access),
    describedBy(({ ApiExtension }) => ApiExtension('x-access', access)),
    ...(access === 'public' ? [] : [describedBy(({ ApiBearerAuth }) => ApiBearerAuth())]),
  );

/** The declaration of a route; undefined if it has none. */
export function accessOf(reflector: Reflector, handler: Parameters<Reflector['get']>[1]): Access | undefined {
  return reflector.get<Access | undefined>(ACCESS, handler);
}

/** Whether a route accepts a secret with a limited number of uses. */
export function isSpent(access: Access | undefined): access is keyof typeof SPENT {
  return access !== undefined && access in SPENT;
}

/** Whether the role of an API token is sufficient for a route. */
export function mayCall(role: AccessRole, access: Access): boolean {
  const needed = (ACCESS_ROLES as readonly string[]).indexOf(access);
  return needed >= 0 && ACCESS_ROLES.indexOf(role) >= needed;
}
