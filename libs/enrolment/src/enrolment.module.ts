import { Module } from '@nestjs/common';
import { ApiTokensController } from './api-tokens.controller.js';
import { JoinScriptController } from './join-script.controller.js';
import { JoinTokensController } from './join-tokens.controller.js';
import { QueueGrantsService } from './queue-grants.service.js';
import { TokensService } from './tokens.service.js';
import { WorkersController } from './workers.controller.js';
import { WorkersService } from './workers.service.js';

@Module({
  controllers: [ApiTokensController, JoinScriptController, JoinTokensController, WorkersController],
  providers: [TokensService, WorkersService, QueueGrantsService],
  exports: [TokensService],
})
export class EnrolmentModule {}
