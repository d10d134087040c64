import type { Command } from 'commander';
import { connect, type ConnectionOptions, withConnection } from '../connection.js';
import { forwardedCommand } from '../hand-over.js';
import { itemsOf } from '../pages.js';
import { json, table } from '../tables.js';

interface ListOptions extends ConnectionOptions {
  json?: true;
}

export function deviceCommand(command: Command): void {
  withConnection(command.command('list').description('devices of all workers, with their device classes'))
    .option('--json', 'print JSON')
    .addHelpText('after', '\nExample:\n  alphaflops device list')
    .action(listDevices);
  forwardedCommand(command.command('probe'), 'probe');
}

async function listDevices(options: ListOptions): Promise<void> {
  const { api } = connect(options);
  const [devices, classes, workers] = await Promise.all([
    itemsOf((query) => api.GET('/v1/devices', { params: { query } })),
    itemsOf((query) => api.GET('/v1/device-classes', { params: { query } })),
    itemsOf((query) => api.GET('/v1/workers', { params: { query } })),
  ]);
  const described = devices.map((device) => ({
    ...device,
    deviceClass: classes.find(({ id }) => id === device.deviceClassId) ?? null,
    presence: workers.find(({ id }) => id === device.workerId)?.presence ?? 'offline',
  }));
  if (options.json === true) {
    console.log(json(described));
    return;
  }
  console.log(
    table(
      ['device', 'model', 'executor', 'device class', 'worker', 'presence'],
      described.map(({ id, sku, deviceClass, deviceClassId, workerId, presence }) => [
        ...[id, sku, deviceClass?.executor ?? '', deviceClassId, workerId, presence],
      ]),
    ),
  );
}
