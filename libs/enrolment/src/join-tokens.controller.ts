import {
  IdSchema,
  type JoinTokenRequest,
  JoinTokenRequestSchema,
  JoinTokenSchema,
  type NewJoinToken,
  NewJoinTokenSchema,
} from '@alphaflops/contracts';
import { AllowAccess, Answer, AnswersSecret, type ApiRequest, ApiTags } from '@alphaflops/http';
import { Body, Controller, Delete, Get, Param, Post, Req } from '@nestjs/common';
import { z } from 'zod';
import { EnrolmentSettings } from './enrolment-settings.js';
import { addressFor, tokenFor } from './join-line.js';
import { joinLine } from './join-script.js';
import { TokensService } from './tokens.service.js';

@ApiTags('join-tokens')
@Controller('v1/join-tokens')
export class JoinTokensController {
  constructor(
    private readonly tokens: TokensService,
    private readonly settings: EnrolmentSettings,
  ) {}

  @Post()
  @AllowAccess('operator')
  @AnswersSecret()
  @Answer(201, NewJoinTokenSchema, 'Make a token that lets machines enrol')
  async create(
    @Body({ schema: JoinTokenRequestSchema }) body: JoinTokenRequest,
    @Req() request: ApiRequest,
  ): Promise<NewJoinToken> {
    const { record, secret } = await this.tokens.createJoinToken(body);
    const url = addressFor(request, this.settings.join);
    const token = tokenFor(secret, url, this.settings.join);
    const pin = token === secret ? null : this.settings.join.keyPin;
    return { ...record, token, command: joinLine({ url, pin }, token) };
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
