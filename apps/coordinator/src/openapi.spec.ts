import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as contracts from '@alphaflops/contracts';
import { z } from 'zod';

interface Schema {
  $ref?: string;
  type?: string;
  items?: Schema;
  properties?: Record<string, Schema>;
  example?: unknown;
}
type Content = Record<string, { schema: Schema }>;
interface Operation {
  operationId: string;
  requestBody?: { content: Content };
  responses: Record<string, { description: string; content?: Content }>;
}

/** test/workspace.e2e.spec.ts checks that this file matches the code. */
const document = JSON.parse(readFileSync(join(import.meta.dirname, '../../../openapi.json'), 'utf8')) as {
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: Record<string, Schema> };
};
const operations = Object.values(document.paths).flatMap((methods) => Object.values(methods));

const checks = new Map<string, z.ZodType>();
for (const value of Object.values(contracts)) {
  if (value instanceof z.ZodType) checks.set(value.meta()?.id ?? '', value);
}

const nameIn = ($ref: string) => $ref.replace('#/components/schemas/', '');

/** The example that the page shows for a schema; throws if a part has no example. */
function exampleOf(schema: Schema): unknown {
  if (schema.example !== undefined) return schema.example;
  if (schema.$ref !== undefined) return exampleOf(document.components.schemas[nameIn(schema.$ref)] ?? {});
  if (schema.type === 'array' && schema.items !== undefined) return [exampleOf(schema.items)];
  if (schema.properties !== undefined) {
    const fields = Object.entries(schema.properties);
    return Object.fromEntries(fields.map(([field, part]) => [field, exampleOf(part)]));
  }
  throw new Error(`no example: ${JSON.stringify(schema)}`);
}

/** The schema in the code: a named one, a list or a page of a named one. */
function checkOf({ $ref, items, properties }: Schema): z.ZodType {
  if (items !== undefined) return z.array(checkOf(items));
  if (properties?.['items']?.items !== undefined) return contracts.pageOf(checkOf(properties['items'].items));
  const check = checks.get(nameIn($ref ?? '')) ?? checks.get(nameIn($ref ?? '').replace(/Input$/, ''));
  if (check === undefined) throw new Error(`no schema in @alphaflops/contracts is called ${String($ref)}`);
  return check;
}

describe('examples in the description of the API', () => {
  const sent = operations.filter(({ requestBody }) => requestBody !== undefined);
  it.each(sent)('has a valid body for $operationId', ({ requestBody }) => {
    const schema = requestBody?.content['application/json']?.schema ?? {};
    expect(checkOf(schema).safeParse(exampleOf(schema)).error).toBeUndefined();
  });

  it.each(operations)(
    'has a valid answer of $operationId, or declares that it is not JSON',
    ({ responses }) => {
      const [[status, answer] = ['none', undefined]] = Object.entries(responses).filter(([code]) =>
        /^2/.test(code),
      );
      const schema = answer?.content?.['application/json']?.schema;
      if (schema === undefined) {
        if (status !== '204') expect(answer?.description).toMatch(/^A stream or file: /);
        return;
      }
      const example = exampleOf(schema);
      // Equal: the schema knows every field, and no field with a default is missing.
      expect(checkOf(schema).parse(example)).toEqual(example);
    },
  );

  it('has a problem', () => {
    const schema = { $ref: '#/components/schemas/Problem' };
    expect(checkOf(schema).safeParse(exampleOf(schema)).error).toBeUndefined();
  });
});

describe('the guarantees of the description', () => {
  it('every body is strict at every depth', () => {
    const loose = new Set<string>();
    const walk = (schema: Loose | undefined, path: string, seen: readonly string[]): void => {
      if (schema === undefined || typeof schema !== 'object') return;
      if (schema.$ref !== undefined) {
        const name = nameIn(schema.$ref);
        if (!seen.includes(name)) walk(document.components.schemas[name], name, [...seen, name]);
        return;
      }
      if (schema.properties !== undefined && schema.additionalProperties !== false) loose.add(path);
      for (const [key, part] of Object.entries(schema.properties ?? {})) walk(part, `${path}.${key}`, seen);
      const parts = [
        schema.items,
        schema.additionalProperties,
        schema.anyOf,
        schema.oneOf,
        schema.allOf,
      ].flat();
      for (const part of parts) if (typeof part === 'object') walk(part, `${path}[]`, seen);
    };
    for (const { operationId, requestBody } of operations) {
      for (const { schema } of Object.values(requestBody?.content ?? {})) walk(schema, operationId, []);
    }
    expect([...loose]).toEqual([]);
  });

  it('problems have their own media type', () => {
    const types = operations.flatMap(({ responses }) => Object.keys(responses['default']?.content ?? {}));
    expect(types.length).toBe(operations.length);
    expect(new Set(types)).toEqual(new Set(['application/problem+json']));
  });
});

interface Loose extends Schema {
  additionalProperties?: boolean | Schema;
  anyOf?: Schema[];
  oneOf?: Schema[];
  allOf?: Schema[];
}
