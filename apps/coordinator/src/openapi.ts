import { VERSION } from '@alphaflops/contracts';
import { describeRoutes } from '@alphaflops/http';
import type { INestApplication } from '@nestjs/common';
import { DocumentBuilder, type OpenAPIObject, SwaggerModule } from '@nestjs/swagger';
import { z } from 'zod';
import { type Example, EXAMPLES } from './examples/index.js';

/** The API's description, made from the schemas with which the routes check their input. */
export async function describeApi(app: INestApplication): Promise<OpenAPIObject> {
  await describeRoutes();
  const header = new DocumentBuilder()
    .setTitle('alphaflops')
    .setDescription(
      'Measured, versioned cost models of convolutions, per device. The figures in the examples are made up.',
    )
    .setVersion(VERSION)
    .setLicense('MIT', 'https://spdx.org/licenses/MIT.html')
    .addServer('/', 'this coordinator')
    .addBearerAuth()
    .build();
  const document = SwaggerModule.createDocument(app, header, {
    operationIdFactory: (controller, method) => `${controller.replace(/Controller$/, '')}_${method}`,
    standardSchemaConverter: (schema, { schemaType }) =>
      schema instanceof z.ZodType ? toOpenApi(schema, schemaType) : undefined,
  });
  const operations = Object.values(document.paths).flatMap((path) => Object.values(path) as Operation[]);
  for (const operation of operations) {
    nameProblem(operation);
    allowNoBody(operation, document);
    // Stated explicitly, so that readers need not guess.
    operation.security ??= [];
    // Also without a token, if the deployment allows it.
    if ((operation as { 'x-public-read'?: boolean })['x-public-read'] === true) operation.security.push({});
  }
  return document;
}

/** Problems have their own media type, which Swagger's decorators cannot state together with a schema. */
function nameProblem({ responses }: Operation): void {
  const problem = responses['default'];
  if (problem === undefined || !('content' in problem)) return;
  const { 'application/json': content, ...others } = problem.content ?? {};
  if (content !== undefined) problem.content = { ...others, 'application/problem+json': content };
}

/** A body with a default is optional. */
function allowNoBody({ requestBody }: Operation, { components }: OpenAPIObject): void {
  if (requestBody === undefined || !('content' in requestBody)) return;
  const { schema } = requestBody.content['application/json'] ?? {};
  if (schema === undefined || !('$ref' in schema)) return;
  const named = components?.schemas?.[schema.$ref.replace('#/components/schemas/', '')];
  if (named !== undefined && 'default' in named) requestBody.required = false;
}

type Operation = NonNullable<OpenAPIObject['paths'][string]['get']>;

interface Converted {
  schema: Record<string, unknown>;
  components: Record<string, Record<string, unknown>>;
}

/**
 * A named schema has two forms: the request (fields with a default are optional) and the answer (these fields are always
 * present). If the two differ, the request is called `<name>Input`. Each has its example, if the schema has one.
 */
function toOpenApi(schema: z.ZodType, io: 'input' | 'output'): Converted {
  const converted = convert(schema, io);
  if (io === 'output')
    return { ...converted, components: withExamples(converted.components, () => 'received') };
  const asOutput = convert(schema, 'output').components;
  const differs = (name: string) =>
    JSON.stringify(converted.components[name]) !== JSON.stringify(asOutput[name]);
  const renamed = JSON.stringify(converted).replace(
    /"#\/definitions\/([^"]+)"/g,
    (reference, name: string) => (differs(name) ? `"#/definitions/${name}Input"` : reference),
  );
  const { schema: root, components } = JSON.parse(renamed) as Converted;
  const illustrated = withExamples(components, (name) => (differs(name) ? 'sent' : 'received'));
  return {
    schema: root,
    components: Object.fromEntries(
      Object.entries(illustrated).map(([name, part]) => [differs(name) ? `${name}Input` : name, part]),
    ),
  };
}

function withExamples(
  components: Converted['components'],
  faceOf: (name: string) => keyof Example,
): Converted['components'] {
  return Object.fromEntries(
    Object.entries(components).map(([name, part]) => {
      const example = EXAMPLES.get(name);
      return [name, example === undefined ? part : { ...part, example: example[faceOf(name)] }];
    }),
  );
}

function convert(schema: z.ZodType, io: 'input' | 'output'): Converted {
  const { definitions = {}, ...root } = asOpenApi30(
    z.toJSONSchema(schema, { target: 'openapi-3.0', io }),
  ) as {
    definitions?: Converted['components'];
  };
  return { schema: root, components: definitions };
}

/** Zod uses some features of OpenAPI 3.1 in its OpenAPI 3.0: null beside a reference or values, and the encoding base64. */
function asOpenApi30(part: unknown): unknown {
  if (Array.isArray(part)) return part.map(asOpenApi30);
  if (typeof part !== 'object' || part === null) return part;
  const fields = Object.entries(part).map(([key, value]) => [key, asOpenApi30(value)] as const);
  const { nullable, allOf, contentEncoding, ...rest } = Object.fromEntries(fields);
  if (nullable === true && Array.isArray(allOf))
    return { ...rest, anyOf: [...(allOf as unknown[]), NULL_ALONE] };
  if (contentEncoding !== undefined) return { ...rest, format: 'byte' };
  return Object.fromEntries(
    fields.map(([key, value]) => {
      const isEnum = key === 'enum' && nullable === true && Array.isArray(value);
      return [key, isEnum ? [...new Set([...(value as unknown[]), null])] : value];
    }),
  );
}

const NULL_ALONE = { type: 'object', nullable: true, enum: [null] };
