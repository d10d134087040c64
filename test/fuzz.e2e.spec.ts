import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { enrolment, request } from './support/requests.js';
import { Stack } from './support/stack.js';

const REQUESTS = 5_000;
const SEED = 20261124;
const AT_ONCE = 16;
/** A limit for requests that do not end, on a busy machine. */
const ANSWER_LIMIT_MS = 30_000;

interface Schema {
  $ref?: string;
  type?: string;
  enum?: unknown[];
  const?: unknown;
  anyOf?: Schema[];
  oneOf?: Schema[];
  allOf?: Schema[];
  properties?: Record<string, Schema>;
  required?: string[];
  items?: Schema;
  minimum?: number;
  maximum?: number;
}

interface Operation {
  parameters?: { name: string; in: string; schema: Schema }[];
  requestBody?: { content: Record<string, { schema: Schema }> };
  'x-access': string;
}

const document = JSON.parse(readFileSync(join(import.meta.dirname, '../openapi.json'), 'utf8')) as {
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: Record<string, Schema> };
};
const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({ method: method.toUpperCase(), path, operation })),
);

/** Placeholders for existing ids, so that some requests find their records. */
const KNOWN = ['THE-WORKER', 'THE-CLASS', 'THE-CAMPAIGN'] as const;
const ids = new Map<string, string>();

function withIds(text: string): string {
  return KNOWN.reduce((filled, name) => filled.replaceAll(name, ids.get(name) ?? name), text);
}

/** Values that attackers or faulty clients send instead of a name, a number or an object. */
const hostile = fc.oneof(
  fc.constantFrom<unknown>(
    ...[
      { $gt: '' },
      { $ne: null },
      { $where: 'sleep(9999)' },
      ['$or'],
      '{"$gt":""}',
      "' OR 1=1 --",
      '%00',
      '\u0000',
    ],
    ...[
      '../../../../etc/passwd',
      '..%2f..%2fetc%2fpasswd',
      'constructor',
      '__proto__',
      { __proto__: { admin: true } },
    ],
    ...[-1, 0, 1.5, 1e308, Number.MAX_SAFE_INTEGER, '9'.repeat(400), '=1+1', '\ud800', 'é'.repeat(70_000)],
    ...[null, true, [], {}, '', 'auto', [[[[[[[[]]]]]]]]],
  ),
  fc.string({ unit: 'binary', maxLength: 60 }),
  fc.json({ maxDepth: 4 }).map((text): unknown => JSON.parse(text)),
);

/** Returns mostly values that fit the schema, so that requests pass the first check, and sometimes a hostile value. */
function fromSchema(schema: Schema, depth = 0): fc.Arbitrary<unknown> {
  const good = soundly(schema, depth);
  return fc.oneof({ weight: 12, arbitrary: good }, { weight: 1, arbitrary: hostile });
}

function soundly(schema: Schema, depth: number): fc.Arbitrary<unknown> {
  if (schema.$ref !== undefined) {
    const named = document.components.schemas[schema.$ref.replace('#/components/schemas/', '')];
    if (named === undefined)
      throw new Error(`openapi.json refers to ${schema.$ref}, which it does not contain`);
    return soundly(named, depth);
  }
  if (depth > 6) return hostile;
  if (schema.const !== undefined) return fc.constant(schema.const);
  if (schema.enum !== undefined) return fc.constantFrom(...schema.enum);
  const choices = schema.anyOf ?? schema.oneOf ?? schema.allOf;
  if (choices !== undefined) return fc.oneof(...choices.map((choice) => fromSchema(choice, depth + 1)));
  const { minimum = 0, maximum = 5000 } = schema;
  switch (schema.type) {
    case 'object':
      return objectOf(schema, depth);
    case 'array':
      return fc.array(fromSchema(schema.items ?? {}, depth + 1), { maxLength: 4 });
    case 'integer':
      return fc.integer({ min: Math.max(minimum, -100), max: Math.min(maximum, 5000) });
    case 'number':
      return fc.double({ min: Math.max(minimum, -100), max: Math.min(maximum, 5000), noNaN: true });
    case 'boolean':
      return fc.boolean();
    case 'null':
      return fc.constant(null);
    case 'string':
      return fc.oneof(
        fc.constantFrom(...KNOWN),
        fc.stringMatching(/^[a-z][a-z0-9-]{0,20}$/),
        fc.constantFrom('2026-01-01T00:00:00Z', 'jsonl', '10'),
      );
    default:
      return hostile;
  }
}

function objectOf({ properties = {}, required = [] }: Schema, depth: number): fc.Arbitrary<unknown> {
  const fields = Object.fromEntries(
    Object.entries(properties).map(([name, schema]) => [name, fromSchema(schema, depth + 1)]),
  );
  return fc.record(fields, { requiredKeys: required.filter((name) => name in fields) });
}

interface Attack {
  method: string;
  route: string;
  path: string;
  body?: unknown;
  access: string;
}

function asText(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** Lone halves of surrogate pairs cannot be percent-encoded: a client could not send them either. */
function encoded(value: unknown): string {
  return encodeURIComponent(Buffer.from(asText(value)).toString());
}

const attacks: fc.Arbitrary<Attack>[] = operations.map(({ method, path: route, operation }) => {
  const { parameters = [], requestBody } = operation;
  const [schema] = Object.values(requestBody?.content ?? {}).map((content) => content.schema);
  const inPath = parameters.filter((parameter) => parameter.in === 'path');
  const inQuery = parameters.filter((parameter) => parameter.in === 'query');
  return fc
    .record({
      path: fc.tuple(...inPath.map(({ schema: of }) => fromSchema(of))),
      query: fc.record(Object.fromEntries(inQuery.map((p) => [p.name, fromSchema(p.schema)])), {
        requiredKeys: [],
      }),
      body: schema === undefined ? fc.constant(undefined) : fromSchema(schema),
      brackets: fc.boolean(),
    })
    .map(({ path, query, body, brackets }) => {
      // `?state[$gt]=` puts an object into a query if the parser is permissive.
      const pairs = Object.entries(query).map(([name, value]) =>
        brackets && typeof value === 'object' ? `${name}[$gt]=` : `${name}=${encoded(value)}`,
      );
      let filled = route;
      inPath.forEach(({ name }, at) => (filled = filled.replace(`{${name}}`, encoded(path[at]) || 'x')));
      const target = pairs.length === 0 ? filled : `${filled}?${pairs.join('&')}`;
      return {
        method,
        route,
        path: target,
        access: operation['x-access'],
        ...(body !== undefined && { body }),
      };
    });
});

let stack: Stack;
let workerToken: string;

beforeAll(async () => {
  stack = await Stack.start({
    ALPHAFLOPS_REQUESTS_PER_MINUTE: '1000000',
    ALPHAFLOPS_ENROLMENTS_PER_MINUTE: '1000000',
  });
  const { data } = await stack.api.POST('/v1/join-tokens', { body: { name: 'fuzz', maxUses: 1 } });
  const { body } = await request(stack, 'POST', '/v1/workers', {
    body: enrolment(),
    token: data?.token ?? '',
  });
  const enrolled = body as { workerToken: string; worker: { id: string } };
  ({ workerToken } = enrolled);
  const { data: classes } = await stack.api.GET('/v1/device-classes');
  const deviceClassId = classes?.items[0]?.id ?? '';
  const { data: campaign } = await stack.api.POST('/v1/campaigns', {
    body: {
      name: 'fuzzed',
      design: { name: 'networklike', seed: 1 },
      budget: { specs: 5 },
      target: { kind: 'device-class', deviceClassId },
    },
  });
  ids
    .set('THE-WORKER', enrolled.worker.id)
    .set('THE-CLASS', deviceClassId)
    .set('THE-CAMPAIGN', campaign?.id ?? '');
  // The first request makes the bundle, for seconds on a busy machine. Later ones are answered from the cache.
  await (await fetch(`${stack.url}/bundles/linux-x64.tar.gz`)).arrayBuffer();
}, 120_000);
afterAll(() => stack.stop(), 60_000);

/** Returns the status of the answer. Closes a stream as soon as it has started. */
async function statusOf({ method, path, body, access }: Attack): Promise<number> {
  const leave = new AbortController();
  const limit = setTimeout(() => {
    leave.abort(new Error(`no answer within ${ANSWER_LIMIT_MS} ms: ${method} ${path}`));
  }, ANSWER_LIMIT_MS);
  try {
    const answer = await fetch(stack.url + withIds(path), {
      method,
      signal: leave.signal,
      headers: {
        authorization: `Bearer ${access === 'worker' ? workerToken : stack.token}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: withIds(JSON.stringify(body)) }),
    });
    if (path.includes('/events') || path.includes('/stream')) leave.abort();
    else await answer.arrayBuffer();
    return answer.status;
  } finally {
    clearTimeout(limit);
  }
}

describe(`${REQUESTS} requests by seed ${SEED}, over every route`, () => {
  it('never get a server error', async () => {
    const each = Math.ceil(REQUESTS / attacks.length);
    const all = attacks.flatMap((attack) => fc.sample(attack, { numRuns: each, seed: SEED }));
    expect(all.length).toBeGreaterThanOrEqual(REQUESTS);
    const faults: unknown[] = [];
    const answered = new Map<string, Set<number>>();
    let next = 0;
    const sender = async () => {
      for (let attack = all[next++]; attack !== undefined; attack = all[next++]) {
        const status = await statusOf(attack).catch((error: unknown) => String(error));
        if (typeof status !== 'number' || status >= 500) faults.push({ ...attack, status });
        else answered.set(attack.route, (answered.get(attack.route) ?? new Set()).add(status));
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, sender));
    expect(faults).toEqual([]);
    // The requests passed the first check: many routes succeeded, and all routes were reached.
    const statuses = [...answered.values()];
    expect(answered.size).toBe(new Set(operations.map(({ path }) => path)).size);
    expect(statuses.filter((of) => of.has(200) || of.has(201) || of.has(202)).length).toBeGreaterThan(20);
    expect(await statusOf({ method: 'GET', route: '', path: '/readyz', access: 'public' })).toBe(200);
  }, 300_000);
});

describe('bodies made to cost time and memory', () => {
  const post = (path: string, body: string) => request(stack, 'POST', path, { body });

  it.each([
    ['nested a hundred thousand deep', `{"name":${'['.repeat(100_000)}${']'.repeat(100_000)}}`],
    ['cut short', '{"name": "x"'],
    ['no JSON', 'hello'],
    ['a prototype', '{"__proto__": {"name": "x"}, "constructor": {"prototype": {}}}'],
  ])('%s', async (_, body) => {
    expect((await post('/v1/campaigns', body)).status).toBe(400);
  });

  it('larger than the limit', async () => {
    const { status, body } = await post('/v1/campaigns', `{"name":"${'x'.repeat(64 * 2 ** 20)}"}`);
    expect(status).toBe(413);
    expect(body).toMatchObject({ code: expect.any(String), detail: expect.any(String) });
  });

  it('a CSV with one line of a million columns, and one of a million quotes', async () => {
    for (const csv of [`${'a,'.repeat(1_000_000)}\n`, '"'.repeat(1_000_000)]) {
      const campaign = {
        name: 'bomb',
        design: { name: 'csv', csv },
        budget: { specs: 10 },
        target: { kind: 'device-class', deviceClassId: 'nothing' },
      };
      const { status } = await post('/v1/campaigns/preview', JSON.stringify(campaign));
      expect(status).toBeGreaterThanOrEqual(400);
      expect(status).toBeLessThan(500);
    }
  });
});
