import { type ApiClient, createApiClient } from '@alphaflops/api-client';
import { withSchemeCheck } from '@alphaflops/api-client/scheme-check';
import { trustingFetch } from '@alphaflops/api-client/trusting-fetch';
import { type Proxies, readConfig, readPem, trustIn } from '@alphaflops/config';
import type { Command } from 'commander';
import { readCliFile } from './cli-file.js';
import { CliError } from './error.js';

/** Address of the coordinator, and our token for it. */
export interface ConnectionOptions {
  url?: string;
  token?: string;
  dataDir?: string;
  ca?: string;
}

export interface Connection {
  readonly url: string;
  readonly token: string;
  readonly api: ApiClient;
  /** Trusts the certificates that the options name. */
  readonly fetch: typeof globalThis.fetch;
}

/** @param files certificates to trust in addition to those of Node */
export function fetchTrusting(files: readonly string[], proxies: Proxies | null): typeof globalThis.fetch {
  const ca = readPem(files);
  const plain = ca === null && proxies === null;
  return withSchemeCheck(plain ? globalThis.fetch : trustingFetch(ca === null ? {} : trustIn(ca), proxies));
}

export function withConnection(command: Command): Command {
  return command
    .option('--url <url>', 'coordinator (default: ALPHAFLOPS_URL, or the one that "up" runs here)')
    .option('--token <token>', 'bearer token (default: ALPHAFLOPS_TOKEN, or the one that "up" has stored)')
    .option('--data-dir <dir>', 'data directory of that "up" (default: .alphaflops)')
    .option(
      '--ca <file>',
      'certificates (PEM) to trust (default: ALPHAFLOPS_CA, or the certificate of "up")',
    );
}

/**
 * The coordinator that the options, the environment or the data directory name, in this order. The token of a data
 * directory is sent only to the coordinator of that directory.
 * @throws CliError `usage` if none of them names one
 */
export function connect(options: ConnectionOptions): Connection {
  const config = readConfig(options.dataDir === undefined ? {} : { ALPHAFLOPS_DATA_DIR: options.dataDir });
  const kept = readCliFile(config.dataDirectory);
  const url = options.url ?? config.coordinatorUrl ?? kept?.url;
  if (url === undefined) {
    throw new CliError(
      'usage',
      `No coordinator is known in ${config.dataDirectory}. Start one with "alphaflops up", or name one with --url and --token.`,
    );
  }
  if (!URL.canParse(url) || !['http:', 'https:'].includes(new URL(url).protocol)) {
    throw new CliError(
      'usage',
      `A coordinator has a URL such as http://127.0.0.1:8080, not ${JSON.stringify(url)}.`,
    );
  }
  const isKept = kept !== null && new URL(kept.url).origin === new URL(url).origin;
  const token = options.token ?? config.token ?? (isKept ? kept.token : undefined);
  if (token === undefined) {
    throw new CliError('usage', `There is no token for ${url}. Give --token or set ALPHAFLOPS_TOKEN.`);
  }
  const known = isKept && kept.ca !== undefined ? [kept.ca] : [];
  const caFiles = options.ca === undefined ? [...config.caFiles, ...known] : [options.ca];
  const fetch = fetchTrusting(caFiles, config.proxies);
  return { url, token, fetch, api: createApiClient({ url, token, fetch }) };
}
