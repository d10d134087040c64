import type { Exclusions } from './limits.js';

export type PlanErrorCode = 'unknown-design' | 'invalid-request' | 'empty-plan';

/** A plan that cannot be made. `excluded` tells, for an empty plan, what became of the candidates. */
export class PlanError extends Error {
  override readonly name = 'PlanError';

  constructor(
    readonly code: PlanErrorCode,
    message: string,
    readonly excluded: Exclusions = {},
  ) {
    super(message);
  }
}
