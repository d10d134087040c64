import {
  type Dataset,
  type DatasetFormat,
  type Model,
  type Provenance,
  percent,
} from '@alphaflops/contracts';
import { exp } from '@alphaflops/elementary';
import { columnsOfDataset } from './columns.js';
import { citation } from './croissant.js';
import { LICENCES } from './licences.js';
import { DATA_FILES } from './rows.js';

const SIZES: readonly [below: number, category: string][] = [
  [1e3, 'n<1K'],
  [1e4, '1K<n<10K'],
  [1e5, '10K<n<100K'],
  [1e6, '100K<n<1M'],
  [1e7, '1M<n<10M'],
  [1e8, '10M<n<100M'],
];

/** Contents of a data card in addition to the data set itself. */
export interface CardSources {
  readonly provenance: readonly Provenance[];
  readonly models: readonly Model[];
}

/** The data card: README.md as Hugging Face reads it, YAML first. */
export function dataCard(dataset: Dataset, format: DatasetFormat, sources: CardSources): string {
  return `${frontMatter(dataset, format)}\n${body(dataset, format, sources)}`;
}

function frontMatter({ title, licence, rows }: Dataset, format: DatasetFormat): string {
  const size = SIZES.find(([below]) => rows < below)?.[1] ?? '100M<n<1B';
  return [
    '---',
    // JSON text is YAML text.
    `license: ${licence}`,
    `pretty_name: ${JSON.stringify(title)}`,
    'language:\n  - en',
    'task_categories:\n  - tabular-regression',
    'tags:\n  - performance-modeling\n  - convolution\n  - green-ai\n  - flops',
    `size_categories:\n  - ${size}`,
    `configs:\n  - config_name: default\n    data_files:\n      - split: train\n        path: ${DATA_FILES[format].path}`,
    '---\n',
  ].join('\n');
}

function body(dataset: Dataset, format: DatasetFormat, { provenance, models }: CardSources): string {
  const { title, description, id, rows, signedRows, importedRows, licence } = dataset;
  const { name, url } = LICENCES[licence];
  return [
    `# ${title}\n`,
    ...(description === '' ? [] : [`${description}\n`]),
    `${rows} measured times of two-dimensional convolutions, one sample per row. Name ${dataset.name}, version`,
    `${dataset.version}, made ${dataset.createdAt} by alphaflops ${dataset.codeVersion}; id (SHA-256 of the content, the same`,
    `for each file format) \`${id}\`.\n`,
    '## Uses\n',
    'To fit and compare cost models of convolutions:\n',
    '    alphaflops dataset verify .\n    alphaflops fit --data . --out model.json\n',
    'Do not use it to rank other devices or libraries than those that are named below.\n',
    '## What is in it\n',
    `Recorded from ${dataset.recordedFrom} to ${dataset.recordedTo}. ${filterText(dataset)}\n`,
    `${signedRows} rows have the signature of the worker that measured them; ${importedRows} rows were imported into the deployment.`,
    ...leftOutText(dataset),
    '\n| device class | device | executor | libraries | math mode |\n| --- | --- | --- | --- | --- |',
    ...dataset.deviceClasses.map((one) =>
      tableRow([one.id, one.sku, one.executor, librariesOf(one.libraries), one.mathMode]),
    ),
    '\n| protocol | rows |\n| --- | --- |',
    ...dataset.protocols.map((one) => tableRow([`${one.name}, version ${one.version}`, String(one.rows)])),
    ...metersText(dataset, provenance),
    '\n## Columns\n\n| column | meaning |\n| --- | --- |',
    ...columnsOfDataset(dataset).map((column) =>
      tableRow([`\`${column.name}\``, column.description + (column.nullable ? '; may be absent' : '')]),
    ),
    '\n## Files\n\n| file | what it is |\n| --- | --- |',
    tableRow([`\`${DATA_FILES[format].path}\``, 'the rows']),
    ...FILES.map(([file, what]) => tableRow([`\`${file}\``, what])),
    ...modelsText(dataset, models),
    '\n## Licence and citation\n',
    `[${name}](${url}). Cite as: ${citation(dataset)}.\n`,
  ].join('\n');
}

const FILES = [
  [
    'dataset.json',
    'description for programs: filter, device classes, public keys of the workers, fit inputs',
  ],
  ['schema.json', 'JSON Schema of a row'],
  ['provenance.jsonl', 'device, libraries, worker and host of the rows, by `provenance_id`'],
  ['croissant.json', 'Croissant metadata'],
  ['SHA256SUMS', 'checksums of all files: `sha256sum -c SHA256SUMS`'],
] as const;

function filterText({ filter }: Dataset): string {
  const parts = Object.entries(filter).map(([name, value]) => `${name} ${value}`);
  return parts.length === 0
    ? 'It has every good sample of the deployment.'
    : `It has every good sample with ${parts.join(', ')}.`;
}

function leftOutText({ leftOut }: Dataset): string[] {
  const parts = Object.entries(leftOut).map(([outcome, n]) => `${n} ${outcome}`);
  return parts.length === 0 ? [] : [`Left out, because they are not good samples: ${parts.join(', ')}.`];
}

function librariesOf(libraries: Readonly<Record<string, string>>): string {
  return Object.entries(libraries)
    .map(([name, version]) => `${name} ${version}`)
    .join(', ');
}

/** The energy meters of the workers; empty if no row has an energy from a meter with a name. */
function metersText({ energyColumns }: Dataset, provenance: readonly Provenance[]): string[] {
  if (energyColumns !== true) return [];
  const rows = provenance.flatMap(({ energyMeter: meter }) => {
    if (meter?.available !== true) return [];
    const how = meter.method === 'counter' ? 'hardware counter' : 'power readings, integrated';
    const period = meter.updatePeriodMs === null ? 'not known' : `every ${meter.updatePeriodMs} ms`;
    const resolution = meter.resolutionMj === null ? 'not known' : `${meter.resolutionMj} mJ`;
    const accuracy = meter.statedAccuracy ?? 'not stated';
    return tableRow([meter.name, how, meter.domains.join(', '), period, resolution, accuracy]);
  });
  return [
    '\n## Energy meters\n',
    'Energies of different meters are not comparable. alphaflops did not compare any of them with an external power meter.\n',
    '| meter | method | domains | updates | resolution | accuracy, as the vendor states it |',
    '| --- | --- | --- | --- | --- | --- |',
    ...new Set(rows),
  ];
}

function modelsText({ fitInputs }: Dataset, models: readonly Model[]): string[] {
  if (fitInputs.length === 0) return [];
  return [
    '\n## Models fitted to it\n',
    'A model was fitted to the first rows of its device class and protocol; the column rows has their number. Another fit of these rows gives the same model.\n',
    'The noise floor is the median difference between two visits of a shape by one device: no error can be far below it.\n',
    '| model | rows | device class | protocol | held-out median error | noise floor | data digest |\n| --- | --- | --- | --- | --- | --- | --- |',
    ...fitInputs.map((one) =>
      tableRow([
        `[${one.modelId}](models/${one.modelId}.json)`,
        String(one.rows),
        one.deviceClassId,
        `${one.protocol}, version ${one.protocolVersion}`,
        ...errorAndFloor(models.find(({ id }) => id === one.modelId)),
        `\`${one.dataDigest}\``,
      ]),
    ),
  ];
}

function errorAndFloor(model: Model | undefined): [error: string, floor: string] {
  const error = model?.forms.find(({ form }) => form === model.chosenForm)?.heldOut?.medianApe;
  const floor = model?.noiseFloor?.medianLogRatio;
  return [
    error === undefined ? 'not known' : percent(error),
    floor === undefined ? 'not known' : percent(exp(floor) - 1),
  ];
}

function tableRow(cells: readonly string[]): string {
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|').replaceAll(/\s+/g, ' ')).join(' | ')} |`;
}
