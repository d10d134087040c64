import type { Command } from 'commander';
import { connect, type ConnectionOptions, withConnection } from '../connection.js';
import { wholeNumber } from '../options.js';
import { itemsOf } from '../pages.js';
import { json, table } from '../tables.js';

interface AuditOptions extends ConnectionOptions {
  limit: number;
  json?: true;
}

const DEFAULT_LIMIT = 50;

export function auditCommand(command: Command): void {
  withConnection(command)
    .option('--limit <number>', 'maximum number of entries', wholeNumber(1), DEFAULT_LIMIT)
    .option('--json', 'print JSON')
    .addHelpText('after', '\nExample:\n  alphaflops audit --limit 20')
    .action(audit);
}

async function audit({ limit, ...options }: AuditOptions): Promise<void> {
  const { api } = connect(options);
  const entries = await itemsOf((query) => api.GET('/v1/audit', { params: { query } }), limit);
  if (options.json === true) {
    console.log(json(entries));
    return;
  }
  console.log(
    table(
      ['at', 'who', 'token', 'from', 'action', 'target', 'status'],
      entries.map(({ at, actor, address, action, targetId, status }) => [
        ...[at, actor.name === '' ? actor.kind : `${actor.name} (${actor.kind})`, actor.tokenId ?? ''],
        ...[address ?? '', action, targetId ?? '', status?.toString() ?? ''],
      ]),
    ),
  );
}
