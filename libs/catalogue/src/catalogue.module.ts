import { Module } from '@nestjs/common';
import { DatasetImports } from './dataset-imports.service.js';
import { DatasetsController } from './datasets.controller.js';
import { DatasetsService } from './datasets.service.js';
import { DevicesController } from './devices.controller.js';
import { KernelMapsController } from './kernel-maps/kernel-maps.controller.js';
import { KernelMapsService } from './kernel-maps/kernel-maps.service.js';
import { LabelRecorder } from './kernel-maps/label-recorder.js';
import { LabelRequests } from './kernel-maps/label-requests.js';
import { ModelsController } from './models.controller.js';
import { ModelsService } from './models.service.js';
import { NetworkThreads } from './network-threads.js';
import { SamplesController } from './samples.controller.js';

/** Measured and published data, from this deployment and from others. */
@Module({
  controllers: [
    DevicesController,
    ModelsController,
    SamplesController,
    DatasetsController,
    KernelMapsController,
  ],
  providers: [
    ModelsService,
    { provide: NetworkThreads, useFactory: () => new NetworkThreads() },
    DatasetsService,
    DatasetImports,
    KernelMapsService,
    LabelRequests,
    LabelRecorder,
  ],
})
export class CatalogueModule {}
