import type { ApiClient } from '@alphaflops/api-client';
import { type Config, isLoopback, readConfig } from '@alphaflops/config';
import type { Command } from 'commander';
import { cliFilePath } from '../cli-file.js';
import { port } from '../options.js';
import { browserAddress, openBrowser, signInLink } from '../sign-in-link.js';
import { fired, interruption } from '../stack/interruption.js';
import { LocalStack } from '../stack/local-stack.js';
import { withOwnCertificate } from '../stack/own-certificate.js';
import { table } from '../tables.js';

interface UpOptions {
  port?: number;
  host?: string;
  dataDir?: string;
  tlsCert?: string;
  tlsKey?: string;
  insecure?: true;
  publicRead?: true;
  worker: boolean;
  newAdminToken?: true;
  open?: true;
}

export function upCommand(command: Command): void {
  command
    .option('--port <number>', 'port of the coordinator; 0 for any free one (default: 8080)', port)
    .option('--host <address>', 'address to listen on; 0.0.0.0 lets other machines join (default: 127.0.0.1)')
    .option(
      '--tls-cert <file>',
      'certificate (PEM); other machines cannot join without one (default: a self-signed certificate)',
    )
    .option('--tls-key <file>', 'private key of that certificate (PEM)')
    .option('--insecure', 'let other machines join without TLS, on a network that you trust')
    .option('--public-read', 'show models, data sets and predictions to everybody, without a token')
    .option('--data-dir <dir>', 'store, Redis, credentials and logs (default: .alphaflops)')
    .option('--no-worker', 'do not make this machine a worker')
    .option('--new-admin-token', 'replace the admin token if the old one is lost')
    .option('--open', 'open the dashboard in the browser of this machine, signed in')
    .addHelpText(
      'after',
      '\nCtrl-C stops the worker after its batch, then the coordinator, then Redis; a second Ctrl-C returns the batch to the queue.\n' +
        '\nExample:\n  alphaflops up --host 0.0.0.0 --data-dir /var/lib/alphaflops',
    )
    .action(up);
}

/** The settings of the environment, overridden by the options. */
export function configOf(
  options: Pick<UpOptions, 'port' | 'host' | 'dataDir' | 'tlsCert' | 'tlsKey' | 'insecure' | 'publicRead'>,
): Config {
  return readConfig({
    ...(options.port !== undefined && { ALPHAFLOPS_PORT: String(options.port) }),
    ...(options.host !== undefined && { ALPHAFLOPS_HOST: options.host }),
    ...(options.dataDir !== undefined && { ALPHAFLOPS_DATA_DIR: options.dataDir }),
    ...(options.tlsCert !== undefined && { ALPHAFLOPS_TLS_CERT: options.tlsCert }),
    ...(options.tlsKey !== undefined && { ALPHAFLOPS_TLS_KEY: options.tlsKey }),
    ...(options.insecure === true && { ALPHAFLOPS_INSECURE: 'true' }),
    ...(options.publicRead === true && { ALPHAFLOPS_PUBLIC_READ: 'true' }),
  });
}

async function up(options: UpOptions): Promise<void> {
  const interrupted = interruption();
  const say = (line: string): void => {
    console.log(line);
  };
  const config = await withOwnCertificate(configOf(options), say);
  const stack = new LocalStack({
    config,
    withWorker: options.worker,
    newAdminToken: options.newAdminToken === true,
    say,
    signal: interrupted.signal,
  });
  interrupted.onSecondSignal = () => {
    stack.stopAtOnce();
  };
  let forget = (): Promise<void> => Promise.resolve();
  try {
    await stack.start();
    say(await describe(stack, config));
    if (options.open === true) forget = await openDashboard(stack, config, say);
    if (!isLoopback(config.host)) void prepareBundle(stack);
    await fired(interrupted.signal);
  } catch (error) {
    if (!interrupted.signal.aborted) throw error;
  } finally {
    await forget();
    await stack.stop();
  }
  say('Stopped.');
}

/** Makes the coordinator pack the worker for nodes now, so that the first node does not wait for it. */
async function prepareBundle({ url, fetch }: LocalStack): Promise<void> {
  // If no bundle exists, the node gets the reason.
  await fetch(`${url}/bundles/linux-${process.arch}.tar.gz.sha256`).catch(() => undefined);
}

/**
 * Opens the dashboard with a separate link, and reports it if no browser opens. * @returns a function that removes the
 * file with the link
 */
export async function openDashboard(
  { api, url, token }: Pick<LocalStack, 'api' | 'url' | 'token'>,
  { dataDirectory }: Pick<Config, 'dataDirectory'>,
  say: (line: string) => void,
): Promise<() => Promise<void>> {
  if (token === null) {
    say('No browser is opened: without the admin token on this machine, no sign-in link can be made.');
    return () => Promise.resolve();
  }
  const { trouble, forget } = await openBrowser(await signInLink(api, url), dataDirectory);
  if (trouble !== null) say(`No browser was opened (${trouble}). Open the sign-in link yourself.`);
  return forget;
}

async function describe(stack: LocalStack, config: Config): Promise<string> {
  const { url, token, newToken } = stack;
  const rows = [
    ['Address', url],
    ['API page', `${url}/docs`],
    ['Data directory', config.dataDirectory],
    ['Store', stack.store],
    ...(config.publicRead ? [['Public', 'models, data sets and predictions, without a token']] : []),
    ...(token === null
      ? []
      : [
          ['Sign-in link', await signInLink(stack.api, browserAddress(config, url))],
          ['', '(works once, within 15 minutes; another one: alphaflops token link)'],
          ['Join line', await joinLine(stack.api)],
        ]),
    ...(token !== null && isLoopback(config.host)
      ? [['', '(on another machine, after a start of this one with --host 0.0.0.0)']]
      : []),
    ...(newToken === null
      ? []
      : [
          ['Admin token', newToken],
          [
            '',
            `(shown only now; the commands on this machine find it in ${cliFilePath(config.dataDirectory)})`,
          ],
        ]),
  ];
  return `${table(['alphaflops is running', ''], rows)}\nCtrl-C stops it.`;
}

/** A line to paste. It contains a token for one machine that is valid for an hour. */
async function joinLine(api: ApiClient): Promise<string> {
  const { data } = await api.POST('/v1/join-tokens', { body: { name: 'printed by up' } });
  return data?.command ?? '';
}
