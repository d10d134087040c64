import {
  COLUMN_NAMES,
  columnsOfGroup,
  SAMPLE_COLUMNS,
  type ColumnGroup,
  type ColumnKind,
  type ColumnName,
  type Dataset,
} from '@alphaflops/contracts';

export interface Column {
  readonly name: ColumnName;
  readonly kind: ColumnKind;
  readonly nullable: boolean;
  readonly description: string;
  /** Null for a column that every data set has. */
  readonly group: ColumnGroup | null;
}

/** All columns that a file may have, in order. */
export const ALL_COLUMNS: readonly Column[] = COLUMN_NAMES.map((name) => {
  const { kind, schema, group } = SAMPLE_COLUMNS[name];
  const description = schema.description ?? '';
  return { name, kind, nullable: schema.safeParse(null).success, description, group };
});

/** Every data set has these. */
export const COLUMNS: readonly Column[] = ALL_COLUMNS.filter(({ group }) => group === null);

/** The groups of columns that only some data sets have. */
export const COLUMN_GROUPS = ['optional', 'energy', 'kernel', 'condition'] as const satisfies ColumnGroup[];

/** The optional columns of a data set. */
export type FurtherColumns = Pick<Dataset, `${ColumnGroup}Columns`>;

/** Whether a data set has the columns of a group. */
export const hasGroup = (dataset: FurtherColumns, group: ColumnGroup): boolean =>
  dataset[`${group}Columns`] === true;

/** The columns of a data set, in the order of its files. */
export function columnsOfDataset(dataset: FurtherColumns): readonly Column[] {
  return ALL_COLUMNS.filter(({ group }) => group === null || hasGroup(dataset, group));
}

const NAMES_BY_GROUP = COLUMN_GROUPS.map((group) => ({ group, names: columnsOfGroup<ColumnGroup>(group) }));

/** The groups in which some column has a value. */
export function groupsOf(valueOf: (name: ColumnName) => unknown): ColumnGroup[] {
  return NAMES_BY_GROUP.filter(({ names }) => names.some((name) => (valueOf(name) ?? null) !== null)).map(
    ({ group }) => group,
  );
}
