import { ModelSchema, type Model, errorText } from '@alphaflops/contracts';
import { z } from 'zod';
import { ModelError } from './error.js';
import { formNamed } from './forms.js';

/**
 * JSON Schema (draft 2020-12) of the model document.
 *
 * @returns a new object
 */
export function modelJsonSchema(): Record<string, unknown> {
  return z.toJSONSchema(ModelSchema, { io: 'input' });
}

/**
 * Reads a model document from JSON text or a parsed value.
 *
 * @throws ModelError `bad-document` naming every wrong field, or `unknown-form` when a newer version wrote it.
 */
export function parseModel(json: unknown): Model {
  const value = typeof json === 'string' ? parseJson(json) : json;
  const version = z.object({ schema: z.string() }).safeParse(value);
  if (!version.success || version.data.schema !== 'alphaflops.model/1') {
    const found = version.success ? `"${version.data.schema}"` : 'no "schema" field';
    throw new ModelError(
      'bad-document',
      `not a model document: expected schema "alphaflops.model/1", found ${found}`,
    );
  }
  const model = ModelSchema.safeParse(value);
  if (!model.success) {
    throw new ModelError('bad-document', `not a valid model document:\n${z.prettifyError(model.error)}`);
  }
  for (const { form } of [...model.data.forms, ...(model.data.energy?.forms ?? [])]) formNamed(form);
  return model.data;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new ModelError('bad-document', `not JSON: ${errorText(error)}`);
  }
}
