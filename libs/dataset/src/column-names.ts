import { OPTIONAL_AXES, REQUIRED_AXES } from './layouts.js';

/** Other names of an axis in files of frameworks and people, without punctuation. They are read as the axis. */
const SYNONYMS: Readonly<Record<string, readonly string[]>> = {
  batch: ['batchsize', 'minibatch', 'nbatch'],
  height: ['inputheight', 'inheight', 'hin', 'ih'],
  width: ['inputwidth', 'inwidth', 'win', 'iw'],
  cin: ['inchannels', 'inputchannels', 'channelsin', 'ic'],
  cout: ['outchannels', 'outputchannels', 'channelsout', 'oc', 'filters', 'numfilters'],
  kernel_h: ['kernelheight', 'filterheight', 'kh'],
  kernel_w: ['kernelwidth', 'filterwidth', 'kw'],
  stride: ['strides'],
  groups: ['group', 'ngroups', 'numgroups'],
  dtype: ['datatype', 'precision'],
  padding: ['pad', 'pads', 'paddings', 'paddingmode'],
  layout: ['dataformat', 'memoryformat'],
};

/** Ambiguous names, with the axis that they may mean. A file without that axis is refused if it has such a name. */
const UNCLEAR: Readonly<Partial<Record<string, string>>> = {
  ...named('batch', ['n']),
  ...named('height', ['h', 'size', 'imagesize', 'inputsize', 'resolution']),
  ...named('width', ['w']),
  ...named('cin', ['c', 'channels']),
  ...named('kernel_h', ['k', 'k1', 'ks', 'ksize', 'kernel', 'kernelsize', 'kernelshape', 'filtersize']),
  ...named('kernel_w', ['k2']),
  ...named('stride', ['stridex', 'stridey']),
  ...named('dilation_h', ['dilation', 'dilations', 'dilationrate', 'atrous']),
  ...named('pass', ['transposed', 'transpose', 'outputpadding', 'direction']),
};

function named(axis: string, names: readonly string[]): Record<string, string> {
  return Object.fromEntries(names.map((name) => [name, axis]));
}

/** A refused column, and the reason. */
export interface UnclearColumn {
  readonly column: string;
  readonly message: string;
}

/** The header with the names of the layout, and the result for the columns with other names. */
export interface ReadHeader {
  readonly names: readonly string[];
  readonly unclear: readonly UnclearColumn[];
  /** Names of unknown columns. */
  readonly ignored: readonly string[];
}

/**
 * Finds the columns of a layout in the header of a file: under their own names, in other cases and spellings
 * (`Kernel-H`), or under a known synonym (`in_channels`). A name that may mean an axis the file does not have, or that
 * differs from it by one letter, is unclear.
 *
 * @param known names of the columns of the layout, including optional ones
 */
export function readHeader(header: readonly string[], known: readonly string[]): ReadHeader {
  const owners = new Map<string, string>();
  for (const name of known) owners.set(plain(name), name);
  for (const [axis, synonyms] of Object.entries(SYNONYMS)) {
    if (!known.includes(axis)) continue;
    for (const synonym of synonyms) if (!owners.has(synonym)) owners.set(synonym, axis);
  }
  const exact = new Set(header.filter((column) => known.includes(column)));
  const names = header.map((column) => {
    if (exact.has(column)) return column;
    return owners.get(plain(column)) ?? column;
  });
  const missing = AXES.filter((axis) => known.includes(axis) && !names.includes(axis));
  const others = names.filter((name) => name !== '' && !known.includes(name));
  const unclear = others.flatMap((column) => {
    const axis = meaningOf(plain(column), missing);
    return axis === undefined
      ? []
      : [{ column, message: `may mean ${axis}: rename the column, or leave it out` }];
  });
  const ignored = others.filter((name) => !unclear.some(({ column }) => column === name));
  return { names, unclear, ignored };
}

const AXES: readonly string[] = [...REQUIRED_AXES, ...OPTIONAL_AXES];

/** The missing axis that a name may mean. */
function meaningOf(name: string, missing: readonly string[]): string | undefined {
  const axis = UNCLEAR[name];
  if (axis !== undefined && missing.includes(axis)) return axis;
  return missing.find((candidate) => isOneEditApart(name, plain(candidate)));
}

/** Letters and digits, in lower case. */
function plain(name: string): string {
  return name.toLowerCase().replace(/[^a-z0-9]/g, '');
}

/** Whether one edit makes two words equal: a letter added, removed, replaced, or swapped with its neighbour. False for short words. */
function isOneEditApart(one: string, other: string): boolean {
  if (Math.min(one.length, other.length) < 5 || Math.abs(one.length - other.length) > 1) return false;
  let start = 0;
  while (start < one.length && one[start] === other[start]) start += 1;
  const [rest, otherRest] = [one.slice(start), other.slice(start)];
  const isSwapped =
    rest[0] === otherRest[1] && rest[1] === otherRest[0] && rest.slice(2) === otherRest.slice(2);
  return (
    isSwapped ||
    rest.slice(1) === otherRest.slice(1) ||
    rest.slice(1) === otherRest ||
    rest === otherRest.slice(1)
  );
}
