import type { Dataset, DatasetFormat } from '@alphaflops/contracts';
import { columnsOfDataset, type Column } from './columns.js';
import { LICENCES } from './licences.js';
import { DATA_FILES } from './rows.js';

/** The terms of Croissant 1.0, as its specification gives them. */
const CONTEXT = {
  '@language': 'en',
  '@vocab': 'https://schema.org/',
  citeAs: 'cr:citeAs',
  column: 'cr:column',
  conformsTo: 'dct:conformsTo',
  cr: 'http://mlcommons.org/croissant/',
  rai: 'http://mlcommons.org/croissant/RAI/',
  data: { '@id': 'cr:data', '@type': '@json' },
  dataType: { '@id': 'cr:dataType', '@type': '@vocab' },
  dct: 'http://purl.org/dc/terms/',
  equivalentProperty: 'cr:equivalentProperty',
  examples: { '@id': 'cr:examples', '@type': '@json' },
  extract: 'cr:extract',
  field: 'cr:field',
  fileProperty: 'cr:fileProperty',
  fileObject: 'cr:fileObject',
  fileSet: 'cr:fileSet',
  format: 'cr:format',
  includes: 'cr:includes',
  isLiveDataset: 'cr:isLiveDataset',
  jsonPath: 'cr:jsonPath',
  key: 'cr:key',
  md5: 'cr:md5',
  parentField: 'cr:parentField',
  path: 'cr:path',
  recordSet: 'cr:recordSet',
  references: 'cr:references',
  regex: 'cr:regex',
  repeated: 'cr:repeated',
  replace: 'cr:replace',
  samplingRate: 'cr:samplingRate',
  sc: 'https://schema.org/',
  separator: 'cr:separator',
  source: 'cr:source',
  subField: 'cr:subField',
  transform: 'cr:transform',
};

const TYPES: Readonly<Record<Column['kind'], string>> = {
  int: 'sc:Integer',
  long: 'sc:Integer',
  number: 'sc:Float',
  boolean: 'sc:Boolean',
  text: 'sc:Text',
  numbers: 'sc:Float',
  texts: 'sc:Text',
};

/** The data file after it was written. */
export interface WrittenFile {
  readonly sha256: string;
  readonly bytes: number;
}

/** Croissant 1.0 metadata (JSON-LD, mlcommons.org/croissant) of a data set with its rows in one file. */
export function croissant(dataset: Dataset, format: DatasetFormat, file: WrittenFile): object {
  const { path, mediaType } = DATA_FILES[format];
  // The name of Parquet files in Croissant's own reader.
  const encodingFormat = { parquet: 'application/x-parquet', csv: mediaType, jsonl: 'application/jsonlines' }[
    format
  ];
  return {
    '@context': CONTEXT,
    '@type': 'sc:Dataset',
    conformsTo: 'http://mlcommons.org/croissant/1.0',
    name: dataset.name,
    alternateName: dataset.title,
    description: dataset.description || dataset.title,
    identifier: dataset.id,
    url: `urn:sha256:${dataset.id}`,
    version: `${dataset.version}.0.0`,
    datePublished: dataset.createdAt.slice(0, 10),
    license: LICENCES[dataset.licence].url,
    citeAs: citation(dataset),
    ...(dataset.creators.length > 0 && {
      creator: dataset.creators.map((name) => ({ '@type': 'sc:Organization', name })),
    }),
    distribution: [
      {
        '@type': 'cr:FileObject',
        '@id': 'samples',
        name: path,
        contentUrl: path,
        contentSize: `${file.bytes} B`,
        encodingFormat,
        sha256: file.sha256,
      },
    ],
    recordSet: [
      {
        '@type': 'cr:RecordSet',
        '@id': 'rows',
        name: 'rows',
        description: 'One measured sample per row.',
        key: { '@id': 'rows/sample_id' },
        field: columnsOfDataset(dataset).map(({ name, kind, description }) => ({
          '@type': 'cr:Field',
          '@id': `rows/${name}`,
          name,
          description: description || name,
          // In CSV a list is one cell, JSON.
          dataType: typeOf(name, kind, format),
          ...(format !== 'csv' && (kind === 'numbers' || kind === 'texts') && { repeated: true }),
          source: { fileObject: { '@id': 'samples' }, extract: { column: name } },
        })),
      },
    ],
  };
}

function typeOf(name: string, kind: Column['kind'], format: DatasetFormat): string {
  if (name.endsWith('_at')) return 'sc:DateTime';
  return format === 'csv' && (kind === 'numbers' || kind === 'texts') ? 'sc:Text' : TYPES[kind];
}

/** How to cite a data set, in one line. */
export function citation({ creators, title, version, createdAt, id }: Dataset): string {
  const by = creators.length === 0 ? '' : `${creators.join(', ')}: `;
  return `${by}“${title}”, version ${version}, ${createdAt.slice(0, 4)}, SHA-256 ${id}`;
}
