import { OPTIONAL_FIELDS } from '@alphaflops/conv';
import { z } from 'zod';
import { CONDITION_FIELDS, DatasetRowSchema, ENERGY_FIELDS, KERNEL_FIELDS } from './dataset-row.js';
import { DeviceClassSchema, PublicKeySchema } from './device.js';
import { GivenTimeSchema, IdSchema, LineSchema, TimestampSchema } from './ids.js';
import { KernelMapSchema } from './kernel-map.js';
import { ProvenanceSchema } from './measurement.js';

/** Selects the good samples of a data set. An absent field has no effect. */
export const DatasetFilterSchema = z
  .strictObject({
    campaignId: IdSchema.optional(),
    deviceClassId: IdSchema.optional(),
    deviceId: IdSchema.optional(),
    recordedFrom: GivenTimeSchema.optional().describe('recorded at this time or later'),
    recordedTo: GivenTimeSchema.optional().describe('recorded before this time'),
  })
  .meta({ id: 'DatasetFilter' });
export type DatasetFilter = z.infer<typeof DatasetFilterSchema>;

export const DATASET_LICENCES = [
  'cc-by-4.0',
  'cc-by-sa-4.0',
  'cc0-1.0',
  'odc-by',
  'odbl',
  'pddl',
  'apache-2.0',
  'mit',
] as const;

/** The description of a data set by its creators. It is not part of the id. */
const about = {
  name: z
    .string()
    .regex(/^[a-z0-9][a-z0-9._-]{0,79}$/, 'must be 1–80 of a–z, 0–9, ".", "_", "-"')
    .describe('snapshots with the same name are versions of one data set'),
  title: LineSchema.min(1).max(200),
  description: z.string().max(10_000),
  licence: z.enum(DATASET_LICENCES).describe('SPDX identifier in the spelling of Hugging Face'),
  creators: z.array(LineSchema.min(1).max(200)).max(100).describe('people or organisations to cite'),
};

export const DatasetRequestSchema = z
  .strictObject({
    filter: DatasetFilterSchema.prefault({}),
    name: about.name.default('samples'),
    title: about.title.default('Measured times of convolutions'),
    description: about.description.default(''),
    licence: about.licence.default('cc-by-4.0'),
    creators: about.creators.default([]),
  })
  .meta({ id: 'DatasetRequest' });
export type DatasetRequest = z.infer<typeof DatasetRequestSchema>;

/** The rows of the fit of a model, with which its data digest can be computed again. */
export const FitInputSchema = z
  .object({
    modelId: IdSchema,
    dataDigest: z.string().describe('data digest of the model: SHA-256 of the canonical lines of these rows'),
    deviceClassId: IdSchema,
    protocol: z.string(),
    protocolVersion: z.int(),
    rows: z.int().min(1).describe('the first rows of this device class and protocol, up to this number'),
  })
  .meta({ id: 'FitInput' });
export type FitInput = z.infer<typeof FitInputSchema>;

/** A frozen snapshot of samples. */
export const DatasetSchema = z
  .object({
    schema: z.literal('alphaflops.dataset/1'),
    id: z
      .string()
      .regex(/^[0-9a-f]{64}$/)
      .describe('SHA-256 of the canonical content of its rows'),
    ...about,
    version: z.int().min(1).describe('of the snapshots with this name'),
    createdAt: TimestampSchema,
    codeVersion: z.string(),
    filter: DatasetFilterSchema,
    rows: z.int().min(1),
    signedRows: z.int().min(0),
    importedRows: z.int().min(0).describe('rows that came to this deployment by import'),
    leftOut: z
      .record(z.string(), z.int())
      .describe(
        'samples that match the filter and are not in the data set, by outcome; signature-invalid: ok, but its signature is not valid',
      ),
    recordedFrom: TimestampSchema.describe('of the first row'),
    recordedTo: TimestampSchema.describe('of the last row'),
    deviceClasses: z.array(DeviceClassSchema),
    protocols: z.array(z.object({ name: z.string(), version: z.int(), rows: z.int() })),
    provenanceIds: z.array(z.string()),
    workers: z
      .array(z.object({ id: IdSchema, publicKey: PublicKeySchema }))
      .describe('whose signatures the rows have'),
    fitInputs: z.array(FitInputSchema).describe('models of this deployment whose exact input is in it'),
    energyColumns: z
      .literal(true)
      .optional()
      .describe(
        `some rows have ${ENERGY_FIELDS.join(', ')}; absent: no row has them, and the files do not have these columns`,
      ),
    conditionColumns: z
      .literal(true)
      .optional()
      .describe(
        `some rows have ${CONDITION_FIELDS.join(', ')}; absent: no row has them, and the files do not have these columns`,
      ),
    kernelMaps: z
      .array(KernelMapSchema)
      .optional()
      .describe('of its device classes, as files of its directory; absent: there were none'),
    kernelColumns: z
      .literal(true)
      .optional()
      .describe(
        `some rows have ${KERNEL_FIELDS.join(', ')}; absent: no row has them, and the files do not have these columns`,
      ),
    optionalColumns: z
      .literal(true)
      .optional()
      .describe(
        `some rows have ${OPTIONAL_FIELDS.join(', ')}; absent: no row has them, and the files do not have these columns`,
      ),
  })
  .meta({ id: 'Dataset' });
export type Dataset = z.infer<typeof DatasetSchema>;

export const DATASET_FORMATS = ['parquet', 'csv', 'jsonl'] as const;
export const DatasetFormatSchema = z.enum(DATASET_FORMATS).meta({ id: 'DatasetFormat' });
export type DatasetFormat = z.infer<typeof DatasetFormatSchema>;

export const DatasetFormatQuerySchema = z.strictObject({
  format: DatasetFormatSchema.default('parquet'),
});

/** Largest number of rows in one request of an import. */
export const MAX_IMPORT_ROWS = 1000;

/** A part of an import: rows, and the records that they name. It can be sent again without an effect. */
export const ImportRequestSchema = z
  .strictObject({
    deviceClasses: z.array(DeviceClassSchema).max(1000).describe('existing records do not change'),
    provenance: z.array(ProvenanceSchema).max(1000),
    rows: z.array(DatasetRowSchema).max(MAX_IMPORT_ROWS),
  })
  .meta({ id: 'ImportRequest' });
export type ImportRequest = z.infer<typeof ImportRequestSchema>;

export const ImportResultSchema = z
  .object({
    recorded: z.int(),
    present: z.int().describe('rows that were here before'),
  })
  .meta({ id: 'ImportResult' });
export type ImportResult = z.infer<typeof ImportResultSchema>;
