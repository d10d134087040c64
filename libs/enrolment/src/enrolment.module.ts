import { Module } from '@nestjs/common';
import { ApiTokensController } from './api-tokens.controller.js';
import { JoinScriptController } from './join-script.controller.js';
import { JoinTokensController } from './join-tokens.controller.js';
import { LeasesController } from './leases.controller.js';
import { LeasesService } from './leases.service.js';
import { SessionsController, SignInCodesController } from './sign-in-codes.controller.js';
import { SignInService } from './sign-in.service.js';
import { TokensService } from './tokens.service.js';
import { WorkersController } from './workers.controller.js';
import { WorkersService } from './workers.service.js';

@Module({
  controllers: [
    ApiTokensController,
    JoinScriptController,
    JoinTokensController,
    LeasesController,
    SessionsController,
    SignInCodesController,
    WorkersController,
  ],
  providers: [LeasesService, SignInService, TokensService, WorkersService],
  exports: [TokensService],
})
export class EnrolmentModule {}
