import { Module } from '@nestjs/common';
import { DatasetImports } from './dataset-imports.service.js';
import { DatasetsController } from './datasets.controller.js';
import { DatasetsService } from './datasets.service.js';
import { DevicesController } from './devices.controller.js';
import { ModelsController } from './models.controller.js';
import { ModelsService } from './models.service.js';
import { NetworkThreads } from './network-threads.js';
import { SamplesController } from './samples.controller.js';

/** What was measured and published, here or elsewhere. */
@Module({
  controllers: [DevicesController, ModelsController, SamplesController, DatasetsController],
  providers: [
    ModelsService,
    { provide: NetworkThreads, useFactory: () => new NetworkThreads() },
    DatasetsService,
    DatasetImports,
  ],
})
export class CatalogueModule {}
