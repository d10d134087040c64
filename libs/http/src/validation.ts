import type { Problem } from '@alphaflops/contracts';
import { StandardSchemaValidationPipe } from '@nestjs/common';
import type { StandardSchemaV1 } from '@standard-schema/spec';
import type { z } from 'zod';
import { ApiProblem } from './problem.js';

/** Maximum number of wrong fields that one answer names. */
const MAX_ERRORS = 20;

/** Checks bodies, queries and path parameters against their schema and names every wrong field. */
export function validationPipe(): StandardSchemaValidationPipe {
  return new StandardSchemaValidationPipe({
    exceptionFactory: (issues) => {
      const errors = issues.flatMap(fieldErrors).slice(0, MAX_ERRORS);
      const [first] = errors;
      const where = first?.path ? `${first.path}: ` : '';
      const more = errors.length > 1 ? ` (and ${errors.length - 1} more)` : '';
      return new ApiProblem(400, 'invalid-request', `${where}${first?.message ?? 'invalid'}${more}`, errors);
    },
  });
}

type FieldErrors = NonNullable<Problem['errors']>;

/** One entry per wrong field. An unknown field is an issue of the object around it: name the field itself. */
function fieldErrors(issue: StandardSchemaV1.Issue): FieldErrors {
  const path = (issue.path ?? []).map((part) => String(typeof part === 'object' ? part.key : part));
  const { code, keys } = issue as Partial<z.core.$ZodIssueUnrecognizedKeys>;
  if (code !== 'unrecognized_keys' || keys === undefined) {
    return [{ path: path.join('.'), message: issue.message }];
  }
  return keys.map((key) => ({ path: [...path, key].join('.'), message: 'is not a known field' }));
}
