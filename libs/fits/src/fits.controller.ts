import { type FitRequest, FitRequestSchema, FitStateSchema, IdSchema } from '@alphaflops/contracts';
import { Answer, NeedsToken } from '@alphaflops/http';
import { Body, Controller, Get, Param, Post } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { FitsService } from './fits.service.js';

@ApiTags('fits')
@NeedsToken()
@Controller('v1')
export class FitsController {
  constructor(private readonly fits: FitsService) {}

  @Post('device-classes/:id/fits')
  @Answer(202, FitStateSchema, 'Fit a device class from all its samples and publish the model')
  create(
    @Param('id', { schema: IdSchema }) id: string,
    @Body({ schema: FitRequestSchema }) body: FitRequest,
  ) {
    return this.fits.requestForDeviceClass(id, body);
  }

  @Get('fits/:id')
  @Answer(200, FitStateSchema, 'How a fit is doing; known for a day')
  get(@Param('id', { schema: IdSchema }) id: string) {
    return this.fits.state(id);
  }
}
