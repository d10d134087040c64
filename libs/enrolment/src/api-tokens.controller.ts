import {
  type ApiTokenRequest,
  ApiTokenRequestSchema,
  ApiTokenSchema,
  IdSchema,
  type NewApiToken,
  NewApiTokenSchema,
} from '@alphaflops/contracts';
import { AllowAccess, Answer, AnswersSecret, ApiTags } from '@alphaflops/http';
import { Body, Controller, Delete, Get, Param, Post } from '@nestjs/common';
import { z } from 'zod';
import { TokensService } from './tokens.service.js';

@ApiTags('tokens')
@Controller('v1/tokens')
export class ApiTokensController {
  constructor(private readonly tokens: TokensService) {}

  @Post()
  @AllowAccess('admin')
  @AnswersSecret()
  @Answer(201, NewApiTokenSchema, 'Make a token of the API')
  async create(@Body({ schema: ApiTokenRequestSchema }) body: ApiTokenRequest): Promise<NewApiToken> {
    const { token, secret } = await this.tokens.createApiToken(body);
    return { ...token, token: secret };
  }

  @Get()
  @AllowAccess('admin')
  @Answer(200, z.array(ApiTokenSchema), 'Tokens of the API, without their secrets')
  list() {
    return this.tokens.apiTokens();
  }

  @Delete(':id')
  @AllowAccess('admin')
  @Answer(204, null, 'Revoke a token of the API')
  async revoke(@Param('id', { schema: IdSchema }) id: string): Promise<void> {
    await this.tokens.revokeApiToken(id);
  }
}
