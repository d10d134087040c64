import { readFileSync } from 'node:fs';
import { homedir, userInfo } from 'node:os';
import { basename, join, resolve } from 'node:path';
import registryUrl from 'registry-url';
import { ConfigError } from './config-error.js';
import { describeVariables, parseEnvironment, type Role } from './environment.js';

/** Where packages are downloaded from, without a slash at the end. */
export interface Registries {
  readonly npm: string;
  /** A simple index of Python packages (PEP 503, with JSON by PEP 691). Null: only pip knows one. */
  readonly python: string | null;
}

/** Null: no proxy. */
export interface Proxies {
  readonly httpProxy: string | null;
  readonly httpsProxy: string | null;
  /** Hosts with commas between them. */
  readonly noProxy: string;
}

/** All settings, read once. No other code reads the environment. */
export interface Config {
  readonly roles: readonly Role[];
  readonly redisUrl: string | null;
  /** Absolute. */
  readonly dataDirectory: string;
  /**
   * Absolute. The directory of the credentials of a worker. It depends on the user, not on the folder in which the worker
   * starts. Null for a user without a home directory.
   */
  readonly workerDirectory: string | null;
  /** Absolute path of the SQLite file, which is the store when `mongodbUri` is null. */
  readonly storeFile: string;
  /** Contains credentials: must not appear in messages. */
  readonly mongodbUri: string | null;
  readonly host: string;
  readonly port: number;
  readonly fitterPort: number;
  /** Absolute paths. */
  readonly tls: { readonly certFile: string; readonly keyFile: string } | null;
  /** Listens beyond this machine without TLS. */
  readonly insecure: boolean;
  /** Absolute paths of certificates to trust. */
  readonly caFiles: readonly string[];
  readonly trustedProxies: readonly string[];
  /** Models, data sets and predictions are public. */
  readonly publicRead: boolean;
  /** Address of the coordinator as workers reach it, without a slash at the end. */
  readonly publicUrl: string | null;
  /** Proxies between this machine and a coordinator; null: none. */
  readonly proxies: Proxies | null;
  readonly registries: Registries;
  readonly coordinatorUrl: string | null;
  readonly token: string | null;
  readonly log: { readonly level: 'error' | 'warn' | 'log' | 'debug'; readonly json: boolean };
  readonly limits: {
    readonly bodyBytes: number;
    readonly requestsPerMinute: number;
    readonly enrolmentsPerMinute: number;
    readonly publicRequestsPerMinute: number;
  };
  /** Folders of LD_LIBRARY_PATH, the loader's own variable, for code that opens libraries at run time. */
  readonly libraryPath: readonly string[];
  readonly queueBoard: boolean;
  /** Shapes of a kernel map; 0: no map is made. */
  readonly kernelMapShapes: number;
  /** Null: chosen by the time that specs take. */
  readonly batchSpecs: number | null;
  readonly heartbeatS: number;
  readonly offlineAfterS: number;
  readonly staleAfterS: number;
}

/**
 * @param overrides options of the command line; they override the environment
 * @throws ConfigError
 */
export function readConfig(overrides: Readonly<Record<string, string>> = {}): Config {
  const { ALPHAFLOPS_CONFIG: file } = { ...process.env, ...overrides };
  const env = parseEnvironment({
    ...lowerCaseProxies(process.env),
    ...(file === undefined || file === '' ? {} : readFile(file)),
    ...process.env,
    ...overrides,
  });
  const dataDirectory = resolve(env.ALPHAFLOPS_DATA_DIR ?? '.alphaflops');
  return deepFreeze({
    roles: env.ROLES,
    redisUrl: env.REDIS_URL ?? null,
    dataDirectory,
    workerDirectory: env.ALPHAFLOPS_DATA_DIR === undefined ? ofUser() : resolve(env.ALPHAFLOPS_DATA_DIR),
    ...storeOf(env.ALPHAFLOPS_STORE ?? env.MONGODB_URI, dataDirectory),
    host: env.ALPHAFLOPS_HOST,
    port: env.ALPHAFLOPS_PORT,
    fitterPort: env.ALPHAFLOPS_FITTER_PORT,
    tls: tlsOf(env.ALPHAFLOPS_TLS_CERT, env.ALPHAFLOPS_TLS_KEY),
    insecure: env.ALPHAFLOPS_INSECURE,
    caFiles: parts(env.ALPHAFLOPS_CA, ':').map((file) => resolve(file)),
    trustedProxies: parts(env.ALPHAFLOPS_TRUSTED_PROXIES, ','),
    publicRead: env.ALPHAFLOPS_PUBLIC_READ,
    publicUrl: env.ALPHAFLOPS_PUBLIC_URL?.replace(/\/+$/, '') ?? null,
    proxies: proxiesOf(env),
    // Each address comes from the settings of its own package manager.
    registries: {
      npm: registryUrl().replace(/\/+$/, ''),
      python: process.env['PIP_INDEX_URL']?.replace(/\/+$/, '') ?? null,
    },
    coordinatorUrl: env.ALPHAFLOPS_URL ?? null,
    token: env.ALPHAFLOPS_TOKEN ?? null,
    log: { level: env.ALPHAFLOPS_LOG_LEVEL, json: env.ALPHAFLOPS_LOG_JSON },
    limits: {
      bodyBytes: env.ALPHAFLOPS_BODY_LIMIT_BYTES,
      requestsPerMinute: env.ALPHAFLOPS_REQUESTS_PER_MINUTE,
      enrolmentsPerMinute: env.ALPHAFLOPS_ENROLMENTS_PER_MINUTE,
      publicRequestsPerMinute: env.ALPHAFLOPS_PUBLIC_REQUESTS_PER_MINUTE,
    },
    libraryPath: (process.env['LD_LIBRARY_PATH'] ?? '').split(':').filter((folder) => folder !== ''),
    queueBoard: env.ALPHAFLOPS_QUEUE_BOARD,
    kernelMapShapes: env.ALPHAFLOPS_KERNEL_MAP_SHAPES,
    batchSpecs: env.ALPHAFLOPS_BATCH_SPECS ?? null,
    heartbeatS: env.ALPHAFLOPS_HEARTBEAT_S,
    offlineAfterS: env.ALPHAFLOPS_OFFLINE_AFTER_S,
    staleAfterS: env.ALPHAFLOPS_STALE_AFTER_S,
  });
}

/** A container may run as a user id without an entry in the list of users, and without HOME. */
function ofUser(): string | null {
  try {
    const home = process.env['HOME'] === '' ? userInfo().homedir : homedir();
    return home === '' ? null : join(resolve(home), '.config', 'alphaflops');
  } catch {
    return null;
  }
}

function tlsOf(certFile: string | undefined, keyFile: string | undefined): Config['tls'] {
  if (certFile === undefined && keyFile === undefined) return null;
  if (certFile === undefined || keyFile === undefined) {
    throw new ConfigError('ALPHAFLOPS_TLS_CERT and ALPHAFLOPS_TLS_KEY go together: set both or neither.');
  }
  return { certFile: resolve(certFile), keyFile: resolve(keyFile) };
}

const PROXY_VARIABLES = ['HTTPS_PROXY', 'HTTP_PROXY', 'NO_PROXY'] as const;

/** Most programs use lower case for these names. */
function lowerCaseProxies(environment: NodeJS.ProcessEnv): Record<string, string> {
  return Object.fromEntries(
    PROXY_VARIABLES.map((name) => [name, environment[name.toLowerCase()] ?? '']).filter(
      ([, value]) => value !== '',
    ),
  ) as Record<string, string>;
}

function proxiesOf(env: { HTTPS_PROXY?: string; HTTP_PROXY?: string; NO_PROXY?: string }): Proxies | null {
  const [httpProxy, httpsProxy] = [env.HTTP_PROXY, env.HTTPS_PROXY].map((text) =>
    text === undefined || text.includes('://') ? (text ?? null) : `http://${text}`,
  );
  if (!httpProxy && !httpsProxy) return null;
  return { httpProxy: httpProxy ?? null, httpsProxy: httpsProxy ?? null, noProxy: env.NO_PROXY ?? '' };
}

function parts(text: string | undefined, separator: string): string[] {
  return (text ?? '')
    .split(separator)
    .map((part) => part.trim())
    .filter((part) => part !== '');
}

function storeOf(store: string | undefined, dataDirectory: string): Pick<Config, 'storeFile' | 'mongodbUri'> {
  const inDirectory = join(dataDirectory, 'alphaflops.sqlite');
  if (store === undefined) return { storeFile: inDirectory, mongodbUri: null };
  return store.startsWith('sqlite:')
    ? { storeFile: resolve(store.slice('sqlite:'.length)), mongodbUri: null }
    : { storeFile: inDirectory, mongodbUri: store };
}

/** Whether npm or npx started this process: they end on SIGTERM and leave what they started. */
export function isLaunchedByNpm(): boolean {
  return process.env['npm_command'] !== undefined;
}

/** The values from the completion script of a shell: the shell, and the position of the word at the cursor. */
export function completionRequest(): { shell: string; wordIndex: number } {
  const { SHELL = 'bash', COMP_CWORD = '1' } = process.env;
  return { shell: basename(SHELL), wordIndex: Number(COMP_CWORD) };
}

/** The environment of a child process: our own, and the settings for the child. */
export function childEnvironment(overrides: Readonly<Record<string, string>>): NodeJS.ProcessEnv {
  return { ...process.env, ...overrides };
}

/** ALPHAFLOPS_CONFIG: a JSON object with the same names as the environment. The environment overrides it. */
function readFile(file: string): Record<string, string> {
  try {
    const content: unknown = JSON.parse(readFileSync(file, 'utf8'));
    if (typeof content !== 'object' || content === null || Array.isArray(content))
      throw new Error('not an object');
    const known = describeVariables().map(({ name }) => name);
    const unknown = Object.keys(content).filter((name) => !known.includes(name));
    if (unknown.length > 0) throw new Error(`there is no setting ${unknown.join(', ')}`);
    return Object.fromEntries(Object.entries(content).map(([name, value]) => [name, String(value)]));
  } catch (error) {
    throw new ConfigError(`ALPHAFLOPS_CONFIG: ${file} cannot be used: ${(error as Error).message}`);
  }
}

function deepFreeze<T extends object>(value: T): Readonly<T> {
  for (const part of Object.values(value)) {
    if (typeof part === 'object' && part !== null) deepFreeze(part as object);
  }
  return Object.freeze(value);
}
