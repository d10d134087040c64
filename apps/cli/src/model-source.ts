import { existsSync } from 'node:fs';
import { type Model, ModelSchema } from '@alphaflops/contracts';
import { ModelError, parseModel } from '@alphaflops/models';
import { connect, type ConnectionOptions } from './connection.js';
import { CliError } from './error.js';
import { inputName, readText, STANDARD } from './files.js';
import { answered } from './pages.js';

/** @throws CliError `bad-input` that names the file, if it contains no model */
export async function modelIn(path: string): Promise<Model> {
  return modelFrom(await readText(path), path);
}

/** The model in the text of a file, like {@link modelIn}. */
export function modelFrom(text: string, path: string): Model {
  try {
    return parseModel(text);
  } catch (error) {
    if (!(error instanceof ModelError)) throw error;
    throw new CliError('bad-input', `${inputName(path)}: ${error.message}`, { cause: error });
  }
}

/** The model in a file, or the published model with that id. */
export async function modelNamed(name: string, options: ConnectionOptions): Promise<Model> {
  if (isModelFile(name)) return modelIn(name);
  const { data } = await connect(options).api.GET('/v1/models/{id}', { params: { path: { id: name } } });
  return ModelSchema.parse(answered(data));
}

/** Ids contain no slash and no dot, but a file may have the same name as a model. If the file exists, it is used. */
export function isModelFile(name: string): boolean {
  return name === STANDARD || /[./]/.test(name) || existsSync(name);
}
