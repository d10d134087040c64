import { ProblemSchema } from '@alphaflops/contracts';
import { applyDecorators, HttpCode } from '@nestjs/common';
import type { z } from 'zod';
import { describedBy } from './api-description.js';

const Problems = () =>
  describedBy(({ ApiDefaultResponse }) =>
    ApiDefaultResponse({ description: 'Problem details (RFC 9457).', standardSchema: ProblemSchema }),
  );

/** Status, schema and meaning of a route's answer. Problems are documented once for all routes. */
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
  return applyDecorators(
    describedBy(({ ApiOperation }) => ApiOperation({ summary })),
    describedBy(({ ApiResponse }) =>
      ApiResponse({
        status: 200,
        description: `A stream or file: ${mediaTypes.join(', ')}.`,
        content: Object.fromEntries(
          mediaTypes.map((mediaType) => [mediaType, { schema: schemaOf(mediaType) }]),
        ),
      }),
    ),
    Problems(),
  );
}

/** Tools check answers with it, and parse each event of a stream into an object. */
function schemaOf(mediaType: string) {
  if (mediaType === 'text/event-stream') return {};
  if (mediaType.endsWith('+json')) return { type: 'object' };
  const isText = mediaType.startsWith('text/') || mediaType === 'application/x-ndjson';
  return isText ? { type: 'string' } : { type: 'string', format: 'binary' };
}
