import {
  IdSchema,
  ModelDiffSchema,
  ModelQuerySchema,
  ModelSchema,
  pageOf,
  type PredictionRequest,
  PredictionRequestSchema,
  PredictionsSchema,
  ReasonSchema,
} from '@alphaflops/contracts';
import {
  AllowAccess,
  AllowPublicRead,
  Answer,
  AnswerStream,
  type ApiRequest,
  ApiTags,
} from '@alphaflops/http';
import { modelJsonSchema } from '@alphaflops/models';
import { modelCard } from '@alphaflops/report/model-card';
import { ModelStore } from '@alphaflops/store';
import { Body, Controller, Get, Header, Param, Post, Query } from '@nestjs/common';
import type { z } from 'zod';
import { ModelsService } from './models.service.js';
import { eachItem, publicModel } from './public-views.js';

@ApiTags('models')
@Controller('v1')
export class ModelsController {
  constructor(
    private readonly models: ModelsService,
    private readonly store: ModelStore,
  ) {}

  @Get('models')
  @AllowAccess('read-only')
  @AllowPublicRead({ view: eachItem(publicModel) })
  @Answer(200, pageOf(ModelSchema), 'Models of any status, newest first')
  list(@Query({ schema: ModelQuerySchema }) query: z.infer<typeof ModelQuerySchema>) {
    const { deviceClassId, ...page } = query;
    return this.store.list({ deviceClassId }, page);
  }

  @Get('models/:id')
  @AllowAccess('read-only')
  @AllowPublicRead({ view: publicModel })
  @Answer(200, ModelSchema, 'One model')
  get(@Param('id', { schema: IdSchema }) id: string) {
    return this.models.get(id);
  }

  @Get('models/:id/diff/:other')
  @AllowAccess('read-only')
  @AllowPublicRead()
  @Answer(200, ModelDiffSchema, 'Changes from the first model to the second')
  diff(@Param('id', { schema: IdSchema }) id: string, @Param('other', { schema: IdSchema }) other: string) {
    return this.models.diff(id, other);
  }

  @Post('models/:id/promote')
  @AllowAccess('operator')
  @Answer(200, ModelSchema, 'Serve a candidate or a retired model anyway')
  promote(
    @Param('id', { schema: IdSchema }) id: string,
    @Body({ schema: ReasonSchema }) body: { reason: string },
  ) {
    return this.models.promote(id, body.reason);
  }

  @Post('models/:id/retire')
  @AllowAccess('operator')
  @Answer(200, ModelSchema, 'Stop serving a model; the previous published one replaces it')
  retire(
    @Param('id', { schema: IdSchema }) id: string,
    @Body({ schema: ReasonSchema }) body: { reason: string },
  ) {
    return this.models.retire(id, body.reason);
  }

  @Get('models/:id/card')
  @AllowAccess('read-only')
  @AllowPublicRead()
  @AnswerStream('The model as a readable page (Markdown)', 'text/markdown')
  @Header('Content-Type', 'text/markdown; charset=utf-8')
  async card(@Param('id', { schema: IdSchema }) id: string): Promise<string> {
    return modelCard(await this.models.get(id));
  }

  @Get('schemas/model')
  @AllowAccess('public')
  @AnswerStream('JSON Schema of the model document', 'application/schema+json')
  @Header('Content-Type', 'application/schema+json')
  schema() {
    return modelJsonSchema();
  }

  @Post('predictions')
  @AllowAccess('read-only')
  @AllowPublicRead({ accepts: isForPublic })
  @Answer(200, PredictionsSchema, 'Cost of each layer and in total')
  @Header('Content-Type', 'application/json; charset=utf-8')
  predict(@Body({ schema: PredictionRequestSchema }) body: PredictionRequest) {
    return this.models.predict(body);
  }
}

/** Network files are large and slow to read, and devices are not public. Requests without a token must send layers. */
function isForPublic({ body }: ApiRequest): boolean {
  const { model, network } = (body ?? {}) as { model?: { kind?: unknown }; network?: unknown };
  return network === undefined && model?.kind !== 'device';
}
