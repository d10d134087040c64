import type { Config } from '@alphaflops/config';
import { ConsoleLogger } from '@nestjs/common';

const LEVELS = ['fatal', 'error', 'warn', 'log', 'debug'] as const;

/** The contexts of the framework's log lines about its own start. */
const WIRING = ['NestFactory', 'InstanceLoader', 'RoutesResolver', 'RouterExplorer', 'NestApplication'];

/**
 * The log of a process: lines for people, or one JSON object per line for programs. The context of a line follows its
 * message, `logger.log('recorded', { campaign, batch, worker })`, and is a field of the object. Callers must never pass a secret.
 */
export class ProcessLog extends ConsoleLogger {
  constructor({ json, level }: Config['log']) {
    super({
      json,
      flattenParams: true,
      colors: !json && process.stdout.isTTY,
      logLevels: LEVELS.slice(0, LEVELS.indexOf(level) + 1),
    });
  }

  override log(message: unknown, ...rest: unknown[]): void {
    if (!WIRING.includes(String(rest.at(-1)))) super.log(message, ...rest);
  }

  protected override stringifyParams(params: Record<string, unknown>): string {
    return Object.entries(params)
      .map(([name, value]) => `${name}=${String(value)}`)
      .join(' ');
  }
}
