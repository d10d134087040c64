import {
  DeviceClassSchema,
  DeviceQuerySchema,
  DeviceSchema,
  IdSchema,
  ModelSchema,
  type PageQuery,
  PageQuerySchema,
  pageOf,
  ProvenanceSchema,
} from '@alphaflops/contracts';
import { AllowAccess, AllowPublicRead, Answer, ApiTags, notFound } from '@alphaflops/http';
import { FleetStore, SampleStore } from '@alphaflops/store';
import { Controller, Get, Param, Query } from '@nestjs/common';
import type { z } from 'zod';
import { ModelsService } from './models.service.js';
import { publicModel } from './public-views.js';

@ApiTags('devices')
@Controller('v1')
export class DevicesController {
  constructor(
    private readonly fleet: FleetStore,
    private readonly samples: SampleStore,
    private readonly models: ModelsService,
  ) {}

  @Get('devices')
  @AllowAccess('read-only')
  @Answer(200, pageOf(DeviceSchema), 'Devices')
  devices(@Query({ schema: DeviceQuerySchema }) query: z.infer<typeof DeviceQuerySchema>) {
    const { deviceClassId, ...page } = query;
    return this.fleet.devices({ deviceClassId }, page);
  }

  @Get('devices/:id')
  @AllowAccess('read-only')
  @Answer(200, DeviceSchema, 'One device')
  async device(@Param('id', { schema: IdSchema }) id: string) {
    const device = await this.fleet.device(id);
    if (device === null) throw notFound('device', id);
    return device;
  }

  @Get('provenance/:id')
  @AllowAccess('read-only')
  @Answer(200, ProvenanceSchema, 'Provenance of samples: device, executor, libraries, worker and host')
  async provenance(@Param('id', { schema: IdSchema }) id: string) {
    const provenance = await this.samples.provenance(id);
    if (provenance === null) throw notFound('provenance record', id);
    return provenance;
  }

  @Get('devices/:id/models/latest')
  @AllowAccess('read-only')
  @Answer(200, ModelSchema, 'Model served for the device’s class: the newest published')
  latestOfDevice(@Param('id', { schema: IdSchema }) id: string) {
    return this.models.ofDevice(id);
  }

  @Get('device-classes')
  @AllowAccess('read-only')
  @AllowPublicRead()
  @Answer(200, pageOf(DeviceClassSchema), 'Device classes')
  deviceClasses(@Query({ schema: PageQuerySchema }) query: PageQuery) {
    return this.fleet.deviceClasses(query);
  }

  @Get('device-classes/:id')
  @AllowAccess('read-only')
  @AllowPublicRead()
  @Answer(200, DeviceClassSchema, 'One device class')
  async deviceClass(@Param('id', { schema: IdSchema }) id: string) {
    const deviceClass = await this.fleet.deviceClass(id);
    if (deviceClass === null) throw notFound('device class', id);
    return deviceClass;
  }

  @Get('device-classes/:id/models/latest')
  @AllowAccess('read-only')
  @AllowPublicRead({ view: publicModel })
  @Answer(200, ModelSchema, 'Model served for a device class: the newest published')
  latestOfClass(@Param('id', { schema: IdSchema }) id: string) {
    return this.models.ofDeviceClass(id);
  }
}
