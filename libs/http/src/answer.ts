import { ProblemSchema } from '@alphaflops/contracts';
import { applyDecorators, HttpCode } from '@nestjs/common';
import type { z } from 'zod';
import { describedBy } from './api-description.js';

const Problems = () =>
  describedBy(({ ApiDefaultResponse }) =>
    ApiDefaultResponse({ description: 'Problem details (RFC 9457).', standardSchema: ProblemSchema }),
  );

/** Status, schema and meaning of a route's answer; problems are documented once for all. */
export function Answer(status: number, schema: z.ZodType | null, summary: string) {
  return applyDecorators(
    HttpCode(status),
    describedBy(({ ApiOperation }) => ApiOperation({ summary })),
    describedBy(({ ApiResponse }) =>
      ApiResponse({ status, description: summary, ...(schema === null ? {} : { standardSchema: schema }) }),
    ),
    Problems(),
  );
}

/** Meaning of a route that answers with a stream or a file, which has no schema and no example. */
export function AnswerStream(summary: string, ...mediaTypes: string[]) {
  const content = { schema: { type: 'string', format: 'binary' } };
  return applyDecorators(
    describedBy(({ ApiOperation }) => ApiOperation({ summary })),
    describedBy(({ ApiResponse }) =>
      ApiResponse({
        status: 200,
        description: `A stream or file: ${mediaTypes.join(', ')}.`,
        content: Object.fromEntries(mediaTypes.map((mediaType) => [mediaType, content])),
      }),
    ),
    Problems(),
  );
}
