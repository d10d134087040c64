import { Readable } from 'node:stream';
import {
  IdSchema,
  pageOf,
  type Sample,
  SamplePageQuerySchema,
  SampleSchema,
  SampleStreamQuerySchema,
} from '@alphaflops/contracts';
import { EXTRA_COLUMNS, type SampleValues, writeSamples } from '@alphaflops/dataset';
import { AllowAccess, Answer, AnswerStream, ApiTags, notFound } from '@alphaflops/http';
import { SampleStore } from '@alphaflops/store';
import { Controller, Get, Param, Query, StreamableFile } from '@nestjs/common';
import type { z } from 'zod';

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

  @Get(':id')
  @AllowAccess('read-only')
  @Answer(200, SampleSchema, 'One sample')
  async get(@Param('id', { schema: IdSchema }) id: string) {
    const sample = await this.samples.get(id);
    if (sample === null) throw notFound('sample', id);
    return sample;
  }
}

async function* jsonLines(samples: AsyncIterable<Sample>): AsyncGenerator<string> {
  for await (const sample of samples) yield `${JSON.stringify(sample)}\n`;
}

/** What has a time, in the columns of the canonical CSV. */
async function* measured(samples: AsyncIterable<Sample>): AsyncGenerator<SampleValues> {
  for await (const { spec, outcome, timing, conditions, kernel, workspaceBytes } of samples) {
    if (outcome !== 'ok' || timing === null) continue;
    const known = {
      time_min_ms: timing.timeMinMs,
      time_q25_ms: timing.timeQ25Ms,
      time_q75_ms: timing.timeQ75Ms,
      repetitions: timing.repetitions,
      inner_iterations: timing.innerIterations,
      eager_ms: timing.eagerMs,
      energy_mj: timing.energyMj,
      energy_meter: timing.energy?.measured === true ? timing.energy.meter : undefined,
      sm_clock_mhz: conditions?.after.smClockMhz,
      temperature_c: conditions?.after.temperatureC,
      power_w: conditions?.after.powerW,
      kernel: kernel?.name,
      workspace_bytes: workspaceBytes,
    };
    const extras = Object.fromEntries(
      Object.entries(known).filter(([, value]) => value !== null && value !== undefined),
    );
    yield { spec, timeMs: timing.timeMs, extras };
  }
}
