import { VERSION } from '@alphaflops/contracts';
import { describeRoutes } from '@alphaflops/http';
import type { INestApplication } from '@nestjs/common';
import { DocumentBuilder, type OpenAPIObject, SwaggerModule } from '@nestjs/swagger';
import { z } from 'zod';
import { type Example, EXAMPLES } from './examples/index.js';

/** The API's description, made from the schemas that the routes check their input with. */
export async function describeApi(app: INestApplication): Promise<OpenAPIObject> {
  await describeRoutes();
  const header = new DocumentBuilder()
    .setTitle('alphaflops')
    .setDescription(
      'Measured, versioned cost models of convolutions, per device. The figures in the examples are made up.',
    )
    .setVersion(VERSION)
    .setLicense('MIT', 'https://spdx.org/licenses/MIT.html')
    .addBearerAuth()
    .build();
  const document = SwaggerModule.createDocument(app, header, {
    operationIdFactory: (controller, method) => `${controller.replace(/Controller$/, '')}_${method}`,
    standardSchemaConverter: (schema, { schemaType }) =>
      schema instanceof z.ZodType ? toOpenApi(schema, schemaType) : undefined,
  });
  nameProblems(document);
  return document;
}

/** Problems have a media type of their own, which Swagger's decorators cannot say together with a schema. */
function nameProblems({ paths }: OpenAPIObject): void {
  const operations = Object.values(paths).flatMap((path) => Object.values(path) as Operation[]);
  for (const { responses } of operations) {
    const problem = responses['default'];
    if (problem === undefined || !('content' in problem)) continue;
    const { 'application/json': content, ...others } = problem.content ?? {};
    if (content !== undefined) problem.content = { ...others, 'application/problem+json': content };
  }
}

type Operation = NonNullable<OpenAPIObject['paths'][string]['get']>;

interface Converted {
  schema: Record<string, unknown>;
  components: Record<string, Record<string, unknown>>;
}

/**
 * A named schema has two faces: what may be sent (fields with a default are optional) and what comes back (they are
 * there). Where the two differ, the first is called `<name>Input`. Each has its example, if the schema has one.
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
  const { definitions = {}, ...root } = z.toJSONSchema(schema, { target: 'openapi-3.0', io });
  return { schema: root, components: definitions as Converted['components'] };
}
