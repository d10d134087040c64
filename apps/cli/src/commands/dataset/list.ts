import type { Command } from 'commander';
import { connect, type ConnectionOptions, withConnection } from '../../connection.js';
import { wholeNumber } from '../../options.js';
import { itemsOf } from '../../pages.js';
import { json, table } from '../../tables.js';

interface ListOptions extends ConnectionOptions {
  limit: number;
  json?: true;
}

export function datasetListCommand(command: Command): void {
  withConnection(command)
    .option('--limit <number>', 'maximum number of rows', wholeNumber(1), 50)
    .option('--json', 'print JSON')
    .addHelpText('after', '\nExample:\n  alphaflops dataset list')
    .action(list);
}

async function list(options: ListOptions): Promise<void> {
  const { api } = connect(options);
  const items = await itemsOf((query) => api.GET('/v1/datasets', { params: { query } }), options.limit);
  if (options.json === true) {
    console.log(json(items));
    return;
  }
  const rows = items.map((one) => [
    one.id,
    `${one.name} v${one.version}`,
    one.createdAt,
    String(one.rows),
    one.title,
  ]);
  console.log(
    items.length === 0 ? 'There is no data set yet.' : table(['id', 'name', 'made', 'rows', 'title'], rows),
  );
}
