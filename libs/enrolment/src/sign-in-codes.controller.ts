import {
  type NewApiToken,
  NewApiTokenSchema,
  type SignInCode,
  type SignInCodeRequest,
  SignInCodeRequestSchema,
  SignInCodeSchema,
} from '@alphaflops/contracts';
import { AllowAccess, Answer, AnswersSecret, type ApiRequest, ApiTags } from '@alphaflops/http';
import { Body, Controller, Post, Req } from '@nestjs/common';
import { SignInService } from './sign-in.service.js';

@ApiTags('tokens')
@Controller('v1/sign-in-codes')
export class SignInCodesController {
  constructor(private readonly signIn: SignInService) {}

  @Post()
  @AllowAccess('admin')
  @AnswersSecret()
  @Answer(201, SignInCodeSchema, 'Make a link that signs a browser in once')
  create(@Body({ schema: SignInCodeRequestSchema }) body: SignInCodeRequest): Promise<SignInCode> {
    return this.signIn.createCode(body);
  }
}

@ApiTags('tokens')
@Controller('v1/sessions')
export class SessionsController {
  constructor(private readonly signIn: SignInService) {}

  @Post()
  @AllowAccess('sign-in')
  @AnswersSecret()
  @Answer(201, NewApiTokenSchema, 'Sign in once (with the code of a sign-in link): a token for some hours')
  create(@Req() { principal }: ApiRequest): Promise<NewApiToken> {
    if (principal?.kind !== 'sign-in') throw new Error('the guard lets a sign-in code through only');
    return this.signIn.open(principal.hash);
  }
}
