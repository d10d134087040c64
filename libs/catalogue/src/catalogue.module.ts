import { Module } from '@nestjs/common';
import { DevicesController } from './devices.controller.js';
import { ModelsController } from './models.controller.js';
import { ModelsService } from './models.service.js';
import { NetworkThreads } from './network-threads.js';
import { SamplesController } from './samples.controller.js';

/** What was measured and published: read only, but for which models are served. */
@Module({
  controllers: [DevicesController, ModelsController, SamplesController],
  providers: [ModelsService, NetworkThreads],
})
export class CatalogueModule {}
