import type { ApiClient } from '@alphaflops/api-client';
import {
  type Dataset,
  type DatasetRow,
  type Model,
  type Provenance,
  ProvenanceSchema,
} from '@alphaflops/contracts';
import { DatasetDigest, type DatasetParts } from '@alphaflops/dataset';
import { CliError } from '../error.js';
import { answered } from '../pages.js';

/** A data set of a coordinator. Its rows are downloaded while they are read. */
export async function downloaded(
  api: ApiClient,
  dataset: Dataset,
  onProgress: (rows: number) => void,
): Promise<DatasetParts> {
  const params = { path: { id: dataset.id } };
  const { data } = await api.GET('/v1/datasets/{id}/provenance', { params, parseAs: 'text' });
  const lines = answered<unknown>(data) as string;
  const models: Model[] = [];
  for (const { modelId } of dataset.fitInputs) {
    const answer = await api.GET('/v1/models/{id}', { params: { path: { id: modelId } } });
    models.push(answered(answer.data) as Model);
  }
  const kernelMaps: { id: string; csv: string }[] = [];
  for (const { id } of dataset.kernelMaps ?? []) {
    const answer = await api.GET('/v1/kernel-maps/{id}/labels', {
      params: { path: { id } },
      parseAs: 'text',
    });
    kernelMaps.push({ id, csv: answered<string>(answer.data) });
  }
  return {
    dataset,
    models,
    kernelMaps,
    provenance: lines
      .split('\n')
      .filter((line) => line !== '')
      .map((line): Provenance => ProvenanceSchema.parse(JSON.parse(line))),
    rows: () => checked(rowsOf(api, dataset.id), dataset, onProgress),
  };
}

/** The rows without changes. @throws CliError `failed`, at their end, if they do not match the id */
async function* checked(
  rows: AsyncIterable<DatasetRow>,
  { id }: Dataset,
  onProgress: (rows: number) => void,
): AsyncGenerator<DatasetRow> {
  const digest = new DatasetDigest();
  let count = 0;
  for await (const row of rows) {
    digest.add(row);
    onProgress(++count);
    yield row;
  }
  if (digest.id() !== id) {
    throw new CliError(
      'failed',
      `The download of data set ${id} is incomplete or does not match the id. Try again.`,
    );
  }
}

async function* rowsOf(api: ApiClient, id: string): AsyncGenerator<DatasetRow> {
  const { data } = await api.GET('/v1/datasets/{id}/rows', {
    params: { path: { id }, query: { format: 'jsonl' } },
    parseAs: 'stream',
  });
  const decoder = new TextDecoder();
  let rest = '';
  for await (const piece of answered<unknown>(data) as AsyncIterable<Uint8Array>) {
    const lines = (rest + decoder.decode(piece, { stream: true })).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) yield JSON.parse(line) as DatasetRow;
  }
}
