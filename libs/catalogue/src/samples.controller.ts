import { Readable } from 'node:stream';
import {
  IdSchema,
  pageOf,
  type Sample,
  type SampleCounts,
  SampleCountsQuerySchema,
  SampleCountsSchema,
  SamplePageQuerySchema,
  SampleSchema,
  SampleStreamQuerySchema,
} from '@alphaflops/contracts';
import { EXTRA_COLUMNS, writeSamples } from '@alphaflops/dataset';
import {
  AllowAccess,
  AllowPublicRead,
  Answer,
  AnswerStream,
  ApiProblem,
  type ApiRequest,
  ApiTags,
  notFound,
} from '@alphaflops/http';
import { SampleStore } from '@alphaflops/store';
import { Controller, Get, Param, Query, StreamableFile } from '@nestjs/common';
import type { z } from 'zod';
import { measured } from './canonical-samples.js';

const DAY_MS = 24 * 3600 * 1000;

@ApiTags('samples')
@Controller('v1/samples')
export class SamplesController {
  constructor(private readonly samples: SampleStore) {}

  @Get()
  @AllowAccess('read-only')
  @Answer(200, pageOf(SampleSchema), 'Samples, oldest first')
  list(@Query({ schema: SamplePageQuerySchema }) query: z.infer<typeof SamplePageQuerySchema>) {
    const { cursor, limit, ...filter } = query;
    return this.samples.list(filter, { cursor, limit });
  }

  @Get('stream')
  @AllowAccess('read-only')
  @AllowPublicRead({ accepts: isForPublic, isStream: true })
  @AnswerStream(
    'All samples that match, one JSON object or CSV row per line',
    'application/x-ndjson',
    'text/csv',
  )
  async stream(@Query({ schema: SampleStreamQuerySchema }) query: z.infer<typeof SampleStreamQuerySchema>) {
    const { format, columns, ...filter } = query;
    const samples = this.samples.stream(filter);
    if (format !== 'csv') {
      return new StreamableFile(Readable.from(jsonLines(samples)), { type: 'application/x-ndjson' });
    }
    const hasOptional = columns === 'all' || (await this.samples.hasOptionalFields(filter));
    const pieces = writeSamples(measured(samples), EXTRA_COLUMNS, hasOptional);
    return new StreamableFile(Readable.from(pieces), { type: 'text/csv; charset=utf-8' });
  }

  @Get('counts')
  @AllowAccess('read-only')
  @Answer(200, SampleCountsSchema, 'Number of recorded samples in each part of a period')
  async counts(
    @Query({ schema: SampleCountsQuerySchema }) query: z.infer<typeof SampleCountsQuerySchema>,
  ): Promise<SampleCounts> {
    const { recordedTo = new Date().toISOString(), parts } = query;
    const { recordedFrom = new Date(Date.parse(recordedTo) - DAY_MS).toISOString() } = query;
    const [from, to] = [Date.parse(recordedFrom), Date.parse(recordedTo)];
    if (from >= to) {
      throw new ApiProblem(400, 'invalid-request', 'recordedTo must be later than recordedFrom.');
    }
    const ends = Array.from({ length: parts + 1 }, (_, at) =>
      new Date(from + ((to - from) * at) / parts).toISOString(),
    );
    const counts = await Promise.all(
      ends.slice(1).map((end, at) => this.samples.countBetween(ends[at] ?? recordedFrom, end)),
    );
    return { recordedFrom, recordedTo, counts };
  }

  @Get(':id')
  @AllowAccess('read-only')
  @Answer(200, SampleSchema, 'One sample')
  async get(@Param('id', { schema: IdSchema }) id: string) {
    const sample = await this.samples.get(id);
    if (sample === null) throw notFound('sample', id);
    return sample;
  }
}

/** The public gets the anonymous columns of the canonical CSV, and cannot filter by worker, device or campaign. */
const PUBLIC_QUERY = ['format', 'columns', 'deviceClassId', 'outcome', 'recordedFrom', 'recordedTo'];
function isForPublic({ query }: ApiRequest): boolean {
  return query['format'] === 'csv' && Object.keys(query).every((name) => PUBLIC_QUERY.includes(name));
}

async function* jsonLines(samples: AsyncIterable<Sample>): AsyncGenerator<string> {
  for await (const sample of samples) yield `${JSON.stringify(sample)}\n`;
}
