import { type Access, AccessSchema } from '@alphaflops/contracts';
import { Controller, Get } from '@nestjs/common';
import { AllowAccess } from './access.js';
import { Answer } from './answer.js';
import { ApiTags } from './api-description.js';
import { PublicReading } from './public-read.js';

@ApiTags('operations')
@Controller('v1/access')
export class AccessController {
  constructor(private readonly publicReading: PublicReading) {}

  @Get()
  @AllowAccess('public')
  @Answer(200, AccessSchema, 'Whether this deployment is readable without a token')
  get(): Access {
    return { publicRead: this.publicReading.isOn };
  }
}
