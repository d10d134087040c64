import { VERSION } from '@alphaflops/contracts';
import type { INestApplication } from '@nestjs/common';
import { DocumentBuilder, type OpenAPIObject, SwaggerModule } from '@nestjs/swagger';
import { z } from 'zod';

/** The API's description, made from the schemas that the routes check their input with. */
export function describeApi(app: INestApplication): OpenAPIObject {
  const header = new DocumentBuilder()
    .setTitle('alphaflops')
    .setDescription('Measured, versioned cost models of convolutions, per device.')
    .setVersion(VERSION)
    .setLicense('MIT', 'https://spdx.org/licenses/MIT.html')
    .addBearerAuth()
    .build();
  return SwaggerModule.createDocument(app, header, {
    operationIdFactory: (controller, method) => `${controller.replace(/Controller$/, '')}_${method}`,
    standardSchemaConverter: (schema, { schemaType }) =>
      schema instanceof z.ZodType ? toOpenApi(schema, schemaType) : undefined,
  });
}

interface Converted {
  schema: Record<string, unknown>;
  components: Record<string, unknown>;
}

/**
 * A named schema has two faces: what may be sent (fields with a default are optional) and what comes back (they are
 * there). Where the two differ, the first is called `<name>Input`.
 */
function toOpenApi(schema: z.ZodType, io: 'input' | 'output'): Converted {
  const converted = convert(schema, io);
  if (io === 'output') return converted;
  const asOutput = convert(schema, 'output').components;
  const differs = (name: string) =>
    JSON.stringify(converted.components[name]) !== JSON.stringify(asOutput[name]);
  const renamed = JSON.stringify(converted).replace(
    /"#\/definitions\/([^"]+)"/g,
    (reference, name: string) => (differs(name) ? `"#/definitions/${name}Input"` : reference),
  );
  const { schema: root, components } = JSON.parse(renamed) as Converted;
  return {
    schema: root,
    components: Object.fromEntries(
      Object.entries(components).map(([name, part]) => [differs(name) ? `${name}Input` : name, part]),
    ),
  };
}

function convert(schema: z.ZodType, io: 'input' | 'output'): Converted {
  const { definitions = {}, ...root } = z.toJSONSchema(schema, { target: 'openapi-3.0', io });
  return { schema: root, components: definitions as Converted['components'] };
}
