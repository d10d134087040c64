import { ACCESS_ROLES, type AccessRole } from '@alphaflops/contracts';
import { applyDecorators, SetMetadata } from '@nestjs/common';
import type { Reflector } from '@nestjs/core';
import { describedBy } from './api-description.js';

/** Secrets with a number of uses, and how people call them. */
export const SPENT = { join: 'join token', 'sign-in': 'sign-in link' } as const;

/**
 * Who may call a route: everybody, a role of API tokens and those above it, or only a worker, a join token or the code of
 * a sign-in link.
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

/** The declaration of a route; undefined without one. */
export function accessOf(reflector: Reflector, handler: Parameters<Reflector['get']>[1]): Access | undefined {
  return reflector.get<Access | undefined>(ACCESS, handler);
}

/** Whether a route takes a secret that has a number of uses. */
export function isSpent(access: Access | undefined): access is keyof typeof SPENT {
  return access !== undefined && access in SPENT;
}

/** Whether a role of API tokens is enough for a route. */
export function mayCall(role: AccessRole, access: Access): boolean {
  const needed = (ACCESS_ROLES as readonly string[]).indexOf(access);
  return needed >= 0 && ACCESS_ROLES.indexOf(role) >= needed;
}
