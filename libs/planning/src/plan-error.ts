import type { Exclusions } from './limits.js';

export type PlanErrorCode = 'unknown-design' | 'invalid-request' | 'empty-plan';

/** A plan is not possible. For an empty plan, `excluded` counts the excluded candidates by reason. */
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
