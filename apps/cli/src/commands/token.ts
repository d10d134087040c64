import { ACCESS_ROLES, type AccessRole } from '@alphaflops/contracts';
import { type Command, Option } from 'commander';
import { connect, type ConnectionOptions, withConnection } from '../connection.js';
import { duration } from '../options.js';
import { answered } from '../pages.js';
import { signInLink } from '../sign-in-link.js';
import { json, table } from '../tables.js';

interface JsonOptions extends ConnectionOptions {
  json?: true;
}

interface CreateOptions extends JsonOptions {
  name: string;
  role: AccessRole;
  expires: number | null;
}

interface LinkOptions extends JsonOptions {
  role: AccessRole;
  expires: number;
}

const DEFAULT_EXPIRY_S = 90 * 24 * 3600;
const DEFAULT_LINK_S = 15 * 60;

export function tokenCommand(command: Command): void {
  withConnection(command.command('create').description('make a token; it is shown once'))
    .requiredOption('--name <name>', 'person or purpose of the token; the audit log shows it')
    .addOption(
      new Option('--role <role>', 'rights of the token; each role includes the rights of those before it')
        .choices(ACCESS_ROLES)
        .makeOptionMandatory(),
    )
    .addOption(
      new Option('--expires <time>', 'in 90s, 30m, 2h, 7d; or never')
        .argParser(expiry)
        .default(DEFAULT_EXPIRY_S, '90d'),
    )
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      '\nExample:\n  alphaflops token create --name dashboard --role read-only --expires 30d',
    )
    .action(create);
  withConnection(
    command.command('link').description('make a link to the dashboard that signs a browser in once'),
  )
    .addOption(new Option('--role <role>', 'rights of the session').choices(ACCESS_ROLES).default('admin'))
    .addOption(
      new Option('--expires <time>', 'time until the link expires, such as 90s, 30m or 2h; at most 1d')
        .argParser(duration)
        .default(DEFAULT_LINK_S, '15m'),
    )
    .option('--json', 'print JSON')
    .addHelpText('after', '\nExample:\n  alphaflops token link --role read-only --expires 1h')
    .action(link);
  withConnection(command.command('list').description('tokens, without their secrets'))
    .option('--json', 'print JSON')
    .addHelpText('after', '\nExample:\n  alphaflops token list')
    .action(list);
  withConnection(command.command('revoke').argument('<id>').description('revoke a token permanently'))
    .option('--json', 'print JSON')
    .addHelpText('after', '\nExample:\n  alphaflops token revoke ID')
    .action(revoke);
}

function expiry(text: string): number | null {
  return text === 'never' ? null : duration(text);
}

async function create({ name, role, expires, ...options }: CreateOptions): Promise<void> {
  const { api } = connect(options);
  const { data } = await api.POST('/v1/tokens', { body: { name, role, expiresInS: expires } });
  const made = answered(data);
  if (options.json === true) {
    console.log(json(made));
    return;
  }
  const until = made.expiresAt === null ? 'until it is revoked' : `until ${made.expiresAt}`;
  console.log(`${made.role} token ${made.id} (${made.name}), ${until}, shown only now:\n\n  ${made.token}\n`);
}

async function link({ role, expires, ...options }: LinkOptions): Promise<void> {
  const { api, url } = connect(options);
  const link = await signInLink(api, url, { role, expiresInS: expires });
  console.log(options.json === true ? json({ link }) : link);
}

async function list(options: JsonOptions): Promise<void> {
  const { api } = connect(options);
  const { data } = await api.GET('/v1/tokens');
  const tokens = answered(data);
  if (options.json === true) {
    console.log(json(tokens));
    return;
  }
  console.log(
    table(
      ['id', 'name', 'role', 'made', 'expires', 'revoked'],
      tokens.map(({ id, name, role, createdAt, expiresAt, revokedAt }) => [
        ...[id, name, role, createdAt, expiresAt ?? 'never', revokedAt ?? ''],
      ]),
    ),
  );
}

async function revoke(id: string, options: JsonOptions): Promise<void> {
  const { api } = connect(options);
  await api.DELETE('/v1/tokens/{id}', { params: { path: { id } } });
  console.log(options.json === true ? json({ id, revoked: true }) : `The token ${id} is revoked.`);
}
