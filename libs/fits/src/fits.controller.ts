import { type FitRequest, FitRequestSchema, FitStateSchema, IdSchema } from '@alphaflops/contracts';
import { AllowAccess, Answer, ApiTags } from '@alphaflops/http';
import { Body, Controller, Get, Param, Post } from '@nestjs/common';
import { FitsService } from './fits.service.js';

@ApiTags('fits')
@Controller('v1')
export class FitsController {
  constructor(private readonly fits: FitsService) {}

  @Post('device-classes/:id/fits')
  @AllowAccess('operator')
  @Answer(202, FitStateSchema, 'Fit a device class from all its samples and publish the model')
  create(
    @Param('id', { schema: IdSchema }) id: string,
    @Body({ schema: FitRequestSchema }) body: FitRequest,
  ) {
    return this.fits.requestForDeviceClass(id, body);
  }

  @Get('fits/:id')
  @AllowAccess('read-only')
  @Answer(200, FitStateSchema, 'How a fit is doing; known for a day')
  get(@Param('id', { schema: IdSchema }) id: string) {
    return this.fits.state(id);
  }
}
