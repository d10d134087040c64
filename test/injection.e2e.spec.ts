import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { startMongoServer } from './support/mongodb.js';
import { enrolment, request } from './support/requests.js';
import { Stack } from './support/stack.js';

interface Schema {
  $ref?: string;
  properties?: Record<string, Schema>;
}
interface Operation {
  parameters?: { name: string; in: string }[];
  requestBody?: { content: Record<string, { schema: Schema }> };
}
const document = JSON.parse(readFileSync(join(import.meta.dirname, '../openapi.json'), 'utf8')) as {
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: Record<string, Schema> };
};
const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({
    method: method.toUpperCase(),
    path,
    ...operation,
  })),
);

/** Values that would match everything if they reached the database as operators. */
const OPERATORS = [{ $gt: '' }, { $ne: null }, { $exists: true }, { $regex: '.*' }, { $where: 'true' }];

const server = await startMongoServer();
const skipped = server.skip === null ? '' : ` (skipped: ${server.skip})`;
afterAll(() => server.stop());

(server.skip === null ? describe : describe.skip)(`operators of MongoDB${skipped}`, () => {
  let stack: Stack;
  let join: { id: string; token: string };
  beforeAll(async () => {
    stack = await Stack.start({
      MONGODB_URI: server.database(),
      ALPHAFLOPS_REQUESTS_PER_MINUTE: '1000000',
      ALPHAFLOPS_ENROLMENTS_PER_MINUTE: '1000000',
    });
    // At least one record of each kind that could match.
    join = (await request(stack, 'POST', '/v1/join-tokens', { body: { maxUses: 9 } })).body as typeof join;
    const enrolled = await request(stack, 'POST', '/v1/workers', { body: enrolment(), token: join.token });
    expect(enrolled.status).toBe(201);
    const { data: classes } = await stack.api.GET('/v1/device-classes');
    const campaign = await request(stack, 'POST', '/v1/campaigns', {
      body: {
        name: 'there',
        design: { name: 'networklike' },
        budget: { specs: 2 },
        target: { kind: 'device-class', deviceClassId: classes?.items[0]?.id ?? '' },
      },
    });
    expect(campaign.status).toBe(202);
  }, 120_000);
  afterAll(() => stack.stop(), 60_000);

  const isFound = (body: unknown) => ((body as { items?: unknown[] } | undefined)?.items ?? []).length > 0;

  it('match nothing in any query parameter of any route', async () => {
    let tried = 0;
    const wrong: string[] = [];
    for (const { method, path, parameters = [] } of operations.filter((one) => one.method === 'GET')) {
      for (const { name } of parameters.filter((parameter) => parameter.in === 'query')) {
        for (const operator of OPERATORS) {
          const [key = '', value] = Object.entries(operator)[0] ?? [];
          // A valid form for every kind of id, but no record has it.
          const at = path.replaceAll(/\{\w+\}/g, '0'.repeat(64));
          const whole = `${at}?${name}=${encodeURIComponent(JSON.stringify(operator))}`;
          const answer = await request(stack, method, whole);
          if (answer.status >= 500 || isFound(answer.body)) wrong.push(`${answer.status} ${whole}`);
          // The parser does not build an object, as some parsers do: no parameter has this name.
          for (const unknown of [`${name}[${key}]`, `x[${key}]`, key]) {
            const strange = `${at}?${unknown}=${encodeURIComponent(String(value))}`;
            const { status, body } = await request(stack, method, strange);
            const isRefused =
              status === 400 && (body as { errors?: { path: string }[] }).errors?.[0]?.path === unknown;
            if (!isRefused) wrong.push(`${status} ${strange}`);
          }
          tried += 1;
        }
      }
    }
    expect(wrong).toEqual([]);
    expect(tried).toBeGreaterThan(50);
  }, 120_000);

  it('match nothing in any path', async () => {
    const wrong: string[] = [];
    for (const { method, path } of operations.filter((one) => one.path.includes('{'))) {
      for (const operator of OPERATORS) {
        const at = path.replaceAll(/\{\w+\}/g, encodeURIComponent(JSON.stringify(operator)));
        const { status } = await request(stack, method, at, method === 'POST' ? { body: {} } : {});
        if (![400, 403, 404].includes(status)) wrong.push(`${status} ${method} ${at}`);
      }
    }
    expect(wrong).toEqual([]);
  }, 120_000);

  it('are refused as the value of any field of any body', async () => {
    let tried = 0;
    const taken: string[] = [];
    for (const { method, path, requestBody } of operations) {
      const schema = requestBody?.content['application/json']?.schema;
      const named = schema?.$ref && document.components.schemas[schema.$ref.split('/').at(-1) ?? ''];
      const at = path.replaceAll(/\{\w+\}/g, 'nothing');
      for (const field of Object.keys((named || schema)?.properties ?? {})) {
        for (const operator of OPERATORS) {
          const { status } = await request(stack, method, at, { body: { [field]: operator } });
          tried += 1;
          if (status < 400 || status >= 500) taken.push(`${status} ${method} ${path} ${field}`);
        }
      }
    }
    expect(taken).toEqual([]);
    expect(tried).toBeGreaterThan(100);
  }, 120_000);

  it('are not valid as a token', async () => {
    for (const operator of OPERATORS) {
      for (const token of [JSON.stringify(operator).replaceAll(' ', ''), '[object', '{"$gt":""}']) {
        expect((await request(stack, 'GET', '/v1/workers', { token })).status).toBe(401);
        const enrolling = await request(stack, 'POST', '/v1/workers', { body: enrolment('x', 'u-2'), token });
        expect(enrolling.status).toBe(401);
      }
    }
  });
});
