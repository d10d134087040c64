import { z } from 'zod';
import { ConfigError } from './config-error.js';

const flag = z.enum(['true', 'false', '1', '0']).transform((text) => text === 'true' || text === '1');
const count = z.coerce.number().int().min(1);

/** Parts of the coordinator that one process can run. */
export const ROLES = ['api', 'record', 'fit'] as const;
export type Role = (typeof ROLES)[number];

const rolesList = z.string().transform((text, context) => {
  const names = text.split(',').map((name) => name.trim());
  const unknown = names.filter((name) => !(ROLES as readonly string[]).includes(name));
  if (unknown.length > 0) {
    context.addIssue({
      code: 'custom',
      message: `unknown role ${unknown.join(', ')}; roles are ${ROLES.join(', ')}`,
    });
    return z.NEVER;
  }
  return names as Role[];
});

/** The environment variables of all alphaflops programs: name → meaning. docs/deployment.md is generated from this. */
const variables = {
  ROLES: rolesList.default([...ROLES]).describe('parts of the coordinator that this process runs'),
  REDIS_URL: z.string().optional().describe('Redis of the queues; a private one is started if it is not set'),
  ALPHAFLOPS_DATA_DIR: z
    .string()
    .optional()
    .describe(
      'store file, private Redis, credentials, logs; default: .alphaflops, for a worker ~/.config/alphaflops',
    ),
  ALPHAFLOPS_STORE: z
    .string()
    .regex(
      /^(sqlite:.+|mongodb(\+srv)?:\/\/.+)$/,
      'must look like sqlite:path/to/file or mongodb://host/database',
    )
    .optional()
    .describe(
      'where samples and models are kept: sqlite:FILE or mongodb://…; default: MONGODB_URI, otherwise sqlite:<data dir>/alphaflops.sqlite',
    ),
  MONGODB_URI: z
    .string()
    .regex(/^mongodb(\+srv)?:\/\/.+$/, 'must look like mongodb://host/database')
    .optional()
    .describe('MongoDB as the store, if ALPHAFLOPS_STORE is not set'),
  ALPHAFLOPS_HOST: z.string().default('127.0.0.1').describe('address on which the coordinator listens'),
  ALPHAFLOPS_PORT: z.coerce
    .number()
    .int()
    .min(0)
    .max(65_535)
    .default(8080)
    .describe('port on which the coordinator listens; 0: any free port'),
  ALPHAFLOPS_FITTER_PORT: z.coerce
    .number()
    .int()
    .min(0)
    .max(65_535)
    .default(8081)
    .describe('port for health and metrics of a fitter; 0: any free port'),
  ALPHAFLOPS_PUBLIC_URL: z
    .url({ protocol: /^https?$/, error: 'must look like https://host or http://host:8080' })
    // It is part of a shell command line.
    .regex(/^[\w.:/[\]~%-]+$/, 'must look like https://host or http://host:8080')
    .optional()
    .describe(
      'the coordinator’s address for workers, in the line that enrols a node; default: the address of the request',
    ),
  ALPHAFLOPS_TLS_CERT: z
    .string()
    .optional()
    .describe('certificate in PEM, with its intermediate certificates; needed to listen beyond this machine'),
  ALPHAFLOPS_TLS_KEY: z.string().optional().describe('private key of that certificate, in PEM'),
  ALPHAFLOPS_INSECURE: flag.default(false).describe('listen beyond this machine without TLS'),
  ALPHAFLOPS_CA: z
    .string()
    .optional()
    .describe(
      'certificates in PEM to trust at the coordinator and at Redis: certificates of authorities or of the servers; several files with “:” between them',
    ),
  ALPHAFLOPS_TRUSTED_PROXIES: z
    .string()
    .optional()
    .describe(
      'proxies whose X-Forwarded-For and -Proto count, such as loopback or 10.0.0.0/8; with commas between them',
    ),
  HTTPS_PROXY: z
    .string()
    .optional()
    .describe('proxy through which worker and command line reach an https coordinator; also in lower case'),
  HTTP_PROXY: z
    .string()
    .optional()
    .describe('proxy through which worker and command line reach an http coordinator; also in lower case'),
  NO_PROXY: z
    .string()
    .optional()
    .describe('hosts that need no proxy, such as .example.org,10.0.0.5; this machine never needs one'),
  ALPHAFLOPS_URL: z.url().optional().describe('coordinator that the command line uses'),
  ALPHAFLOPS_TOKEN: z.string().optional().describe('bearer token of the command line'),
  ALPHAFLOPS_LOG_LEVEL: z
    .enum(['error', 'warn', 'log', 'debug'])
    .default('log')
    .describe('least severe messages that are logged'),
  ALPHAFLOPS_LOG_JSON: flag.default(false).describe('log one JSON object per line'),
  ALPHAFLOPS_QUEUE_BOARD: flag.default(true).describe('show the queues to admins at /queues (Bull Board)'),
  ALPHAFLOPS_KERNEL_MAP_SHAPES: z.coerce
    .number()
    .int()
    .min(0)
    .max(200_000)
    .default(50_000)
    .describe(
      'shapes that a worker labels with kernels for a device class without a kernel map; 0: no maps are made',
    ),
  ALPHAFLOPS_BODY_LIMIT_BYTES: count.default(64 * 1024 * 1024).describe('size of the largest request body'),
  ALPHAFLOPS_REQUESTS_PER_MINUTE: count
    .default(6_000)
    .describe('requests of one client address to one route'),
  ALPHAFLOPS_ENROLMENTS_PER_MINUTE: count
    .default(60)
    .describe(
      'enrolments and sign-ins by link from one client address; attempts with a wrong join token or link count too',
    ),
  ALPHAFLOPS_PUBLIC_READ: flag
    .default(false)
    .describe('show models, data sets and predictions to everybody, without a token'),
  ALPHAFLOPS_PUBLIC_REQUESTS_PER_MINUTE: count
    .default(300)
    .describe('requests of one client address to one route without a token; for streams, a tenth of it'),
  ALPHAFLOPS_BATCH_SPECS: count
    .max(10_000)
    .optional()
    .describe(
      'ConvSpecs of one batch; by default as many as take about 10 s, according to earlier measurements',
    ),
  ALPHAFLOPS_OFFLINE_AFTER_S: count
    .default(60)
    .describe('time without a heartbeat after which a worker is offline'),
  ALPHAFLOPS_STALE_AFTER_S: count
    .default(14 * 24 * 3600)
    .describe('time without a heartbeat after which a worker is stale'),
  ALPHAFLOPS_HEARTBEAT_S: count.default(10).describe('time between two heartbeats of a worker'),
};

/** A variable as docs/deployment.md shows it. */
export interface VariableDescription {
  readonly name: string;
  /** Empty if the variable has no fixed default; then `meaning` describes the default. */
  readonly default: string;
  /** Valid values, with their unit. */
  readonly values: string;
  readonly meaning: string;
}

/** The unit, from the end of a variable's name. */
const UNITS = { _BYTES: 'bytes', _PER_MINUTE: 'per minute', _S: 'seconds' } as const;

/** All variables, in the order of the documentation. Defaults and valid values are those of the schema. */
export function describeVariables(): VariableDescription[] {
  return Object.entries(variables).map(([name, schema]) => {
    const { default: usual } = z.toJSONSchema(schema, { io: 'output', unrepresentable: 'any' });
    return {
      name,
      default: Array.isArray(usual)
        ? usual.join(',')
        : usual === undefined
          ? ''
          : JSON.stringify(usual).replaceAll('"', ''),
      values: valuesOf(name, schema),
      meaning: schema.description ?? '',
    };
  });
}

function valuesOf(name: string, schema: z.ZodType): string {
  const input = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' });
  if (input.enum !== undefined) return input.enum.join(', ');
  if (input.format === 'uri') return 'URL';
  const { type, minimum, maximum } = z.toJSONSchema(schema, { io: 'output', unrepresentable: 'any' });
  if (type !== 'integer') return name === 'ROLES' ? `${ROLES.join(', ')}, with commas between them` : 'text';
  const hasMax = maximum !== undefined && maximum !== Number.MAX_SAFE_INTEGER;
  const range = hasMax ? `${minimum ?? 0} to ${maximum}` : `${minimum ?? 0} or more`;
  const [, unit] = Object.entries(UNITS).find(([end]) => name.endsWith(end)) ?? [];
  return unit === undefined ? range : `${range} ${unit}`;
}

const EnvironmentSchema = z.object(variables);

/** @throws ConfigError that names each wrong variable, without its value, because values may be secrets */
export function parseEnvironment(environment: NodeJS.ProcessEnv): z.infer<typeof EnvironmentSchema> {
  // An empty variable has the same meaning as an absent one, because compose files and shells write both.
  const present = Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== ''));
  const parsed = EnvironmentSchema.safeParse(present);
  if (parsed.success) return parsed.data;
  const lines = parsed.error.issues.map((issue) => `  ${issue.path.join('.')}: ${issue.message}`);
  throw new ConfigError(`The environment is wrong:\n${lines.join('\n')}`);
}
