import {
  type KernelMap,
  type KernelMapImport,
  KernelMapImportSchema,
  KernelMapSchema,
  type PageQuery,
  PageQuerySchema,
  pageOf,
} from '@alphaflops/contracts';
import { DatasetError } from '@alphaflops/dataset';
import { AllowAccess, Answer, AnswerStream, ApiProblem, ApiTags } from '@alphaflops/http';
import { KernelMapStore } from '@alphaflops/store';
import { Body, Controller, Get, Param, Post, Query, StreamableFile } from '@nestjs/common';
import { KernelMapsService } from './kernel-maps.service.js';

const KernelMapIdSchema = KernelMapSchema.shape.id;

@ApiTags('kernel maps')
@Controller('v1/kernel-maps')
export class KernelMapsController {
  constructor(
    private readonly maps: KernelMapsService,
    private readonly store: KernelMapStore,
  ) {}

  @Get()
  @AllowAccess('read-only')
  @Answer(200, pageOf(KernelMapSchema), 'Kernel maps, newest first')
  list(@Query({ schema: PageQuerySchema }) query: PageQuery) {
    return this.store.list(query);
  }

  @Post()
  @AllowAccess('operator')
  @Answer(200, KernelMapSchema, 'Store labels that were made elsewhere; a repetition changes nothing')
  async import(@Body({ schema: KernelMapImportSchema }) body: KernelMapImport): Promise<KernelMap> {
    try {
      return await this.maps.import(body);
    } catch (error) {
      if (!(error instanceof DatasetError || error instanceof RangeError)) throw error;
      throw new ApiProblem(422, 'bad-labels', error.message);
    }
  }

  @Get(':id')
  @AllowAccess('read-only')
  @Answer(200, KernelMapSchema, 'One kernel map')
  get(@Param('id', { schema: KernelMapIdSchema }) id: string): Promise<KernelMap> {
    return this.maps.get(id);
  }

  @Get(':id/labels')
  @AllowAccess('read-only')
  @AnswerStream('The shapes of a kernel map with their kernels, as "fit --kernels" reads them', 'text/csv')
  async labels(@Param('id', { schema: KernelMapIdSchema }) id: string): Promise<StreamableFile> {
    return new StreamableFile(await this.maps.csv(id), {
      type: 'text/csv; charset=utf-8',
      disposition: `attachment; filename="${id}.csv"`,
    });
  }
}
