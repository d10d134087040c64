import { ProblemSchema } from '@alphaflops/contracts';
import { applyDecorators, HttpCode } from '@nestjs/common';
import { ApiDefaultResponse, ApiOperation, ApiResponse } from '@nestjs/swagger';
import type { z } from 'zod';

/** Status, schema and meaning of a route's answer; problems are documented once for all. */
export function Answer(status: number, schema: z.ZodType | null, summary: string) {
  return applyDecorators(
    HttpCode(status),
    ApiOperation({ summary }),
    ApiResponse({ status, description: summary, ...(schema === null ? {} : { standardSchema: schema }) }),
    ApiDefaultResponse({
      description: 'Problem details (RFC 9457).',
      standardSchema: ProblemSchema,
    }),
  );
}
