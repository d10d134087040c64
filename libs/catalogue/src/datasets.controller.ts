import { Readable } from 'node:stream';
import {
  type Dataset,
  type DatasetFormat,
  DatasetFormatQuerySchema,
  type DatasetRequest,
  DatasetRequestSchema,
  type DatasetRow,
  DatasetSchema,
  type ImportRequest,
  ImportRequestSchema,
  ImportResultSchema,
  type PageQuery,
  PageQuerySchema,
  pageOf,
  type Sample,
} from '@alphaflops/contracts';
import {
  DATA_FILES,
  datasetFiles,
  EXTRA_COLUMNS,
  sampleOfRow,
  writeRows,
  writeSamples,
} from '@alphaflops/dataset';
import { AllowAccess, AllowPublicRead, Answer, AnswerStream, ApiProblem, ApiTags } from '@alphaflops/http';
import { DatasetStore } from '@alphaflops/store';
import { Body, Controller, Get, Header, Param, Post, Query, Req, Res, StreamableFile } from '@nestjs/common';
import type { Request, Response } from 'express';
import { measured } from './canonical-samples.js';
import { zipOf } from './dataset-archive.js';
import { DatasetImports } from './dataset-imports.service.js';
import { unpacked } from './dataset-rows.js';
import { DatasetsService } from './datasets.service.js';
import { eachItem, publicDataset } from './public-views.js';

const DatasetIdSchema = DatasetSchema.shape.id;
interface Format {
  format: DatasetFormat;
}

@ApiTags('data sets')
@Controller('v1/datasets')
export class DatasetsController {
  constructor(
    private readonly datasets: DatasetsService,
    private readonly imports: DatasetImports,
    private readonly store: DatasetStore,
  ) {}

  @Post()
  @AllowAccess('operator')
  @Answer(201, DatasetSchema, 'Freeze the good samples that match now; the same content is the same data set')
  async create(@Body({ schema: DatasetRequestSchema }) body: DatasetRequest): Promise<Dataset> {
    const dataset = await this.datasets.create(body);
    if (dataset !== null) return dataset;
    throw new ApiProblem(
      422,
      'no-samples',
      'No good sample matches the filter: there is nothing to publish.',
    );
  }

  @Get()
  @AllowAccess('read-only')
  @AllowPublicRead({ view: eachItem(publicDataset) })
  @Answer(200, pageOf(DatasetSchema), 'Data sets, newest first')
  list(@Query({ schema: PageQuerySchema }) query: PageQuery) {
    return this.store.list(query);
  }

  @Post('imports')
  @AllowAccess('operator')
  @Answer(200, ImportResultSchema, 'Store rows that were measured elsewhere; a repetition changes nothing')
  import(@Body({ schema: ImportRequestSchema }) body: ImportRequest) {
    return this.imports.import(body);
  }

  @Get(':id')
  @AllowAccess('read-only')
  @AllowPublicRead({ view: publicDataset })
  @Answer(200, DatasetSchema, 'One data set')
  get(@Param('id', { schema: DatasetIdSchema }) id: string) {
    return this.datasets.get(id);
  }

  @Get(':id/rows')
  @AllowAccess('read-only')
  @AnswerStream(
    'The rows of a data set in one file',
    ...Object.values(DATA_FILES).map(({ mediaType }) => mediaType),
  )
  async rows(
    @Param('id', { schema: DatasetIdSchema }) id: string,
    @Query({ schema: DatasetFormatQuerySchema }) { format }: Format,
    @Req() request: Request,
    @Res({ passthrough: true }) response: Response,
  ): Promise<StreamableFile> {
    await this.datasets.get(id);
    const type = DATA_FILES[format].mediaType;
    const disposition = `attachment; filename="samples-${id.slice(0, 12)}.${format}"`;
    if (format !== 'jsonl') {
      const { rows, dataset } = await this.datasets.parts(id);
      return new StreamableFile(Readable.from(writeRows(rows(), format, dataset)), { type, disposition });
    }
    response.setHeader('Vary', 'Accept-Encoding');
    const parts = this.store.parts(id);
    // The parts are stored in the format of the answer.
    if (request.acceptsEncodings('gzip') !== 'gzip') {
      return new StreamableFile(unpacked(parts), { type, disposition });
    }
    response.setHeader('Content-Encoding', 'gzip');
    return new StreamableFile(Readable.from(parts), { type, disposition });
  }

  @Get(':id/samples')
  @AllowAccess('read-only')
  @AllowPublicRead({ isStream: true })
  @AnswerStream(
    'The rows of a data set as canonical CSV: shapes, times and conditions, without ids',
    'text/csv',
  )
  async samples(@Param('id', { schema: DatasetIdSchema }) id: string): Promise<StreamableFile> {
    const { rows, dataset } = await this.datasets.parts(id);
    const pieces = writeSamples(measured(samplesOf(rows())), EXTRA_COLUMNS, dataset.optionalColumns === true);
    return new StreamableFile(Readable.from(pieces), {
      type: 'text/csv; charset=utf-8',
      disposition: `attachment; filename="samples-${id.slice(0, 12)}-canonical.csv"`,
    });
  }

  @Get(':id/archive')
  @AllowAccess('read-only')
  @AnswerStream(
    'The directory of a data set, as "dataset export" writes it, as a ZIP file',
    'application/zip',
  )
  @Header('Content-Type', 'application/zip')
  async archive(
    @Param('id', { schema: DatasetIdSchema }) id: string,
    @Query({ schema: DatasetFormatQuerySchema }) { format }: Format,
  ): Promise<StreamableFile> {
    const parts = await this.datasets.parts(id);
    const { name, version } = parts.dataset;
    return new StreamableFile(zipOf(datasetFiles(parts, format), `${name}-v${version}`), {
      type: 'application/zip',
      disposition: `attachment; filename="${name}-v${version}-${format}.zip"`,
    });
  }

  @Get(':id/provenance')
  @AllowAccess('read-only')
  @AnswerStream('Provenance of the rows of a data set, one record per line', 'application/x-ndjson')
  @Header('Content-Type', 'application/x-ndjson')
  async provenance(@Param('id', { schema: DatasetIdSchema }) id: string): Promise<string> {
    const { provenance } = await this.datasets.parts(id);
    return provenance.map((record) => `${JSON.stringify(record)}\n`).join('');
  }
}

async function* samplesOf(rows: AsyncIterable<DatasetRow>): AsyncGenerator<Sample> {
  for await (const row of rows) yield sampleOfRow(row);
}
