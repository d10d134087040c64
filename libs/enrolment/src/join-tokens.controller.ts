import {
  IdSchema,
  type JoinTokenRequest,
  JoinTokenRequestSchema,
  JoinTokenSchema,
  type NewJoinToken,
  NewJoinTokenSchema,
} from '@alphaflops/contracts';
import { AllowAccess, Answer, type ApiRequest, ApiTags } from '@alphaflops/http';
import { Body, Controller, Delete, Get, Param, Post, Req } from '@nestjs/common';
import { z } from 'zod';
import { TokensService } from './tokens.service.js';

@ApiTags('join-tokens')
@Controller('v1/join-tokens')
export class JoinTokensController {
  constructor(private readonly tokens: TokensService) {}

  @Post()
  @AllowAccess('operator')
  @Answer(201, NewJoinTokenSchema, 'Make a token with which machines can enrol')
  async create(
    @Body({ schema: JoinTokenRequestSchema }) body: JoinTokenRequest,
    @Req() request: ApiRequest,
  ): Promise<NewJoinToken> {
    const { record, secret } = await this.tokens.createJoinToken(body);
    const url = `${request.protocol}://${request.get('host') ?? 'localhost'}`;
    return { ...record, token: secret, command: `alphaflops worker join ${url} --token ${secret}` };
  }

  @Get()
  @AllowAccess('operator')
  @Answer(200, z.array(JoinTokenSchema), 'Join tokens, without their secrets')
  list() {
    return this.tokens.joinTokens();
  }

  @Delete(':id')
  @AllowAccess('operator')
  @Answer(204, null, 'Revoke a join token')
  async revoke(@Param('id', { schema: IdSchema }) id: string): Promise<void> {
    await this.tokens.revokeJoinToken(id);
  }
}
