import { printable } from '@alphaflops/contracts';

export const LOG_LEVELS = ['error', 'warn', 'log', 'debug'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];
export type LogFields = Readonly<Record<string, string | number | boolean | null>>;

/** Lines for people, or one JSON object per line for programs. Callers never pass a secret. */
export class Log {
  constructor(
    private readonly options: { readonly level: LogLevel; readonly json: boolean },
    private readonly write: (line: string) => void,
    private readonly fixed: LogFields = {},
  ) {}

  /** The same log, with these fields in every line. */
  with(fields: LogFields): Log {
    return new Log(this.options, this.write, { ...this.fixed, ...fields });
  }

  error(message: string, fields?: LogFields): void {
    this.line('error', message, fields);
  }

  warn(message: string, fields?: LogFields): void {
    this.line('warn', message, fields);
  }

  info(message: string, fields?: LogFields): void {
    this.line('log', message, fields);
  }

  private line(level: LogLevel, message: string, fields: LogFields = {}): void {
    if (LOG_LEVELS.indexOf(level) > LOG_LEVELS.indexOf(this.options.level)) return;
    const time = new Date().toISOString();
    const all = { ...this.fixed, ...fields };
    if (this.options.json) {
      this.write(`${JSON.stringify({ time, level, message, ...all })}\n`);
      return;
    }
    const pairs = Object.entries(all).map(([name, value]) => `  ${name}=${String(value)}`);
    const word = level === 'log' ? '' : `${level}: `;
    this.write(`${time}  ${word}${printable(`${message}${pairs.join('')}`).replaceAll('\n', ' ')}\n`);
  }
}
