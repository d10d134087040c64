import { CONV_SPEC_DEFAULTS, type ConvSpec, DTYPES } from '@alphaflops/conv';
import type { Layer } from './api.js';

/** A layer as the editor holds it: every axis given. */
export type EditedLayer = Omit<ConvSpec, 'padding' | 'layout'>;

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

export const FIRST_LAYER: EditedLayer = {
  ...{ height: 56, width: 56, cin: 64, cout: 128, kernel_h: 3, kernel_w: 3 },
  ...{ stride: 1, groups: 1, batch: CONV_SPEC_DEFAULTS.batch, dtype: CONV_SPEC_DEFAULTS.dtype },
};

/** The convolutions of one bottleneck block of ResNet-50, as something to begin with. */
export const EXAMPLE: readonly EditedLayer[] = [
  { ...FIRST_LAYER, cin: 256, cout: 64, kernel_h: 1, kernel_w: 1 },
  { ...FIRST_LAYER, cin: 64, cout: 64 },
  { ...FIRST_LAYER, cin: 64, cout: 256, kernel_h: 1, kernel_w: 1 },
];

/** What is predicted, as part of an address: classes, then layers. Example: `a.b~56-56-64-128-3-3-1-1-1-f32`. */
export function linkOf(classIds: readonly string[], layers: readonly EditedLayer[]): string {
  const rows = layers.map((layer) => [...NUMBER_COLUMNS.map(([name]) => layer[name]), layer.dtype].join('-'));
  return `${classIds.join('+')}~${rows.join('~')}`;
}

/** The same backwards; what is not understood is left out. */
export function fromLink(text: string): { classIds: string[]; layers: EditedLayer[] } {
  const [ids = '', ...rows] = text.split('~');
  const layers = rows.flatMap((row): EditedLayer[] => {
    const cells = row.split('-');
    const dtype = DTYPES.find((name) => name === cells[NUMBER_COLUMNS.length]);
    const numbers = NUMBER_COLUMNS.map(([name], at) => [name, Number(cells[at])] as const);
    if (dtype === undefined || numbers.some(([, value]) => !(value > 0))) return [];
    return [{ ...FIRST_LAYER, ...Object.fromEntries(numbers), dtype }];
  });
  return { classIds: ids.split('+').filter((id) => id !== ''), layers };
}

export function requestLayers(layers: readonly EditedLayer[]): Layer[] {
  return layers.map((layer) => ({ ...layer }));
}
