import { CONV_SPEC_DEFAULTS, type ConvSpec, DTYPES, LAYOUTS, PADDINGS, PASSES } from '@alphaflops/conv';

export const NUMBER_COLUMNS = [
  ['height', 'Height'],
  ['width', 'Width'],
  ['cin', 'Cin'],
  ['cout', 'Cout'],
  ['kernel_h', 'Kernel h'],
  ['kernel_w', 'Kernel w'],
  ['stride', 'Stride'],
  ['groups', 'Groups'],
  ['batch', 'Batch'],
] as const;

/** Optional numbers of a layer, with their letters in an address. */
export const OPTIONAL_COLUMNS = [
  ['stride_h', 'Stride h', 'sh'],
  ['stride_w', 'Stride w', 'sw'],
  ['dilation_h', 'Dilation h', 'dh'],
  ['dilation_w', 'Dilation w', 'dw'],
  ['pad_top', 'Pad top', 'pt'],
  ['pad_bottom', 'Pad bottom', 'pb'],
  ['pad_left', 'Pad left', 'pl'],
  ['pad_right', 'Pad right', 'pr'],
] as const;

export const FIRST_LAYER: ConvSpec = {
  ...CONV_SPEC_DEFAULTS,
  ...{ height: 56, width: 56, cin: 64, cout: 128, kernel_h: 3, kernel_w: 3 },
};

/** The convolutions of one bottleneck block of ResNet-50, as an example. */
export const EXAMPLE: readonly ConvSpec[] = [
  { ...FIRST_LAYER, cin: 256, cout: 64, kernel_h: 1, kernel_w: 1 },
  { ...FIRST_LAYER, cin: 64, cout: 64 },
  { ...FIRST_LAYER, cin: 64, cout: 256, kernel_h: 1, kernel_w: 1 },
];

/** Whether all sizes are present. A size is missing while the user types it. */
export function isWholeLayer(layer: ConvSpec): boolean {
  return NUMBER_COLUMNS.every(([name]) => layer[name] > 0);
}

/** A requested prediction: device classes, layers, and the counting of energy. */
export interface PredictionRequest {
  readonly classIds: readonly string[];
  readonly layers: readonly ConvSpec[];
  /** Inferences of one pass over the layers. */
  readonly inferencesPerPass: number;
  readonly gridIntensityGramsPerKwh: number | null;
}

/**
 * The prediction as part of an address: classes, then layers. Padding, layout and pass are words if they are not the
 * default. Counts and optional numbers have letters. Example:
 * `a.b+c~56-56-64-128-3-3-1-1-1-f32~112-112-3-32-3-3-2-1-1-f32-valid~n8~g350`.
 */
export function linkOf({
  classIds,
  layers,
  inferencesPerPass,
  gridIntensityGramsPerKwh,
}: PredictionRequest): string {
  const rows = layers.map((layer) =>
    [
      ...NUMBER_COLUMNS.map(([name]) => layer[name]),
      layer.dtype,
      ...(layer.padding === CONV_SPEC_DEFAULTS.padding ? [] : [layer.padding]),
      ...(layer.layout === CONV_SPEC_DEFAULTS.layout ? [] : [layer.layout]),
      ...OPTIONAL_COLUMNS.flatMap(([name, , letters]) =>
        layer[name] === undefined ? [] : [`${letters}${layer[name]}`],
      ),
      ...(layer.pass === undefined ? [] : [layer.pass.replace('-', '_')]),
    ].join('-'),
  );
  return [
    classIds.join('+'),
    ...rows,
    ...(inferencesPerPass === 1 ? [] : [`n${inferencesPerPass}`]),
    ...(gridIntensityGramsPerKwh === null ? [] : [`g${gridIntensityGramsPerKwh}`]),
  ].join('~');
}

/** Parses such an address; unknown parts are ignored. */
export function fromLink(text: string): PredictionRequest {
  const [ids = '', ...parts] = text.split('~');
  const counted = (letter: string) => {
    const value = Number(parts.find((part) => part.startsWith(letter))?.slice(1));
    return value > 0 && value < Infinity ? value : null;
  };
  const inferences = counted('n');
  return {
    classIds: ids.split('+').filter((id) => id !== ''),
    layers: parts.flatMap(layerOf),
    inferencesPerPass: Number.isInteger(inferences) ? (inferences ?? 1) : 1,
    gridIntensityGramsPerKwh: counted('g'),
  };
}

function layerOf(row: string): ConvSpec[] {
  const cells = row.split('-');
  const words = cells.slice(NUMBER_COLUMNS.length);
  const dtype = DTYPES.find((name) => name === words[0]);
  const numbers = NUMBER_COLUMNS.map(([name], at) => [name, Number(cells[at])] as const);
  if (dtype === undefined || numbers.some(([, value]) => !(value > 0))) return [];
  const padding = PADDINGS.find((name) => words.includes(name)) ?? CONV_SPEC_DEFAULTS.padding;
  const layout = LAYOUTS.find((name) => words.includes(name)) ?? CONV_SPEC_DEFAULTS.layout;
  const optional = OPTIONAL_COLUMNS.flatMap(([name, , letters]) => {
    const found = words.map((word) => new RegExp(`^${letters}(\\d+)$`).exec(word)?.[1]).find(Boolean);
    return found === undefined ? [] : [[name, Number(found)] as const];
  });
  const pass = PASSES.find((name) => words.includes(name.replace('-', '_')));
  return [
    {
      ...{ ...FIRST_LAYER, ...Object.fromEntries(numbers), dtype, padding, layout },
      ...Object.fromEntries(optional),
      ...(pass !== undefined && { pass }),
    },
  ];
}
