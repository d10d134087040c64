import type { Command } from 'commander';
import { connect, type ConnectionOptions, withConnection } from '../connection.js';
import { forwardedCommand } from '../hand-over.js';
import { duration, keyValue, wholeNumber } from '../options.js';
import { answered, itemsOf } from '../pages.js';
import { json, table } from '../tables.js';

interface TokenOptions extends ConnectionOptions {
  uses: number;
  expires: number;
  label?: Record<string, string>;
  name: string;
  json?: true;
}

interface JsonOptions extends ConnectionOptions {
  json?: true;
}

interface ReasonOptions extends JsonOptions {
  reason?: string;
}

const CHANGES = {
  pause: 'take no new batch until resumed',
  drain: 'finish the current batch and end',
  resume: 'take batches again',
  revoke: 'revoke its credentials permanently',
} as const;

const FORWARDED_COMMANDS = ['join', 'run', 'run-offline'] as const;

const HOUR_S = 3600;

export function workerCommand(command: Command): void {
  for (const name of FORWARDED_COMMANDS) forwardedCommand(command.command(name), name);
  withConnection(command.command('token').description('make a token that lets machines join'))
    .option('--uses <number>', 'machines that may join with it', wholeNumber(1, 10_000), 1)
    .option('--expires <time>', 'until when: 90s, 30m, 2h, 7d (default: 1h)', duration, HOUR_S)
    .option('--label <key=value>', 'given to every worker that joins with it; may be repeated', keyValue)
    .option('--name <name>', 'for people', '')
    .option('--json', 'print JSON')
    .addHelpText('after', '\nExample:\n  alphaflops worker token --uses 8 --expires 2h --label rack=7')
    .action(token);
  withConnection(command.command('list').description('workers'))
    .option('--json', 'print JSON')
    .addHelpText('after', '\nExample:\n  alphaflops worker list')
    .action(listWorkers);
  for (const [name, description] of Object.entries(CHANGES)) {
    withConnection(command.command(name).argument('<id>').description(description))
      .option('--reason <text>', 'shown to the worker and in lists')
      .option('--json', 'print JSON')
      .addHelpText('after', `\nExample:\n  alphaflops worker ${name} ID --reason "new driver"`)
      .action((id: string, options: ReasonOptions) => change(name as keyof typeof CHANGES, id, options));
  }
}

async function token(options: TokenOptions): Promise<void> {
  const { api } = connect(options);
  const { data } = await api.POST('/v1/join-tokens', {
    body: {
      name: options.name,
      expiresInS: options.expires,
      maxUses: options.uses,
      labels: options.label ?? {},
    },
  });
  const made = answered(data);
  if (options.json === true) {
    console.log(json(made));
    return;
  }
  console.log(
    `On the machine that joins, until ${made.expiresAt} (${made.maxUses} in all):\n\n  ${made.command}\n`,
  );
}

async function listWorkers(options: JsonOptions): Promise<void> {
  const { api } = connect(options);
  const workers = await itemsOf((query) => api.GET('/v1/workers', { params: { query } }));
  if (options.json === true) {
    console.log(json(workers));
    return;
  }
  console.log(
    table(
      [
        'id',
        'name',
        'presence',
        'desired state',
        'activity',
        'devices',
        'labels',
        'last heartbeat',
        'disturbance',
      ],
      workers.map((worker) => [
        ...[worker.id, worker.name, worker.presence, worker.desiredState, worker.activity],
        String(worker.deviceIds.length),
        Object.entries(worker.labels)
          .map(([key, value]) => `${key}=${value}`)
          .join(','),
        worker.lastHeartbeatAt ?? 'never',
        worker.disturbance ?? '',
      ]),
    ),
  );
}

async function change(what: keyof typeof CHANGES, id: string, options: ReasonOptions): Promise<void> {
  const { api } = connect(options);
  const body = options.reason === undefined ? {} : { reason: options.reason };
  const { data } = await api.POST(`/v1/workers/{id}/${what}`, { params: { path: { id } }, body });
  const worker = answered(data);
  console.log(
    options.json === true
      ? json(worker)
      : `The desired state of the worker ${id} is now ${worker.desiredState}.`,
  );
}
