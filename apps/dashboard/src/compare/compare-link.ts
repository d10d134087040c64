import type { ConvSpec } from '@alphaflops/conv';
import { fromLink, linkOf } from '../layer-link.js';

/** What the figures along the axes show. */
export const QUANTITIES = ['alpha', 'time', 'energy'] as const;
export type Quantity = (typeof QUANTITIES)[number];

/** The comparison: device classes, and layers or an example network. */
export interface Compared {
  readonly classIds: readonly string[];
  readonly layers: readonly ConvSpec[];
  /** Id of an example network, in place of the layers. */
  readonly exampleId: string | null;
  /** Batch size of the example. */
  readonly images: number;
  readonly quantity: Quantity;
}

/** The comparison as part of an address: layers like `linkOf`, then the example with e, and the quantity with q. */
export function compareLinkOf({ classIds, layers, exampleId, images, quantity }: Compared): string {
  return [
    linkOf({ classIds, layers, inferencesPerPass: images, gridIntensityGramsPerKwh: null }),
    ...(exampleId === null ? [] : [`e${exampleId}`]),
    ...(quantity === 'alpha' ? [] : [`q${quantity}`]),
  ].join('~');
}

/** Parses such an address; unknown parts are ignored. */
export function fromCompareLink(text: string): Compared {
  const { classIds, layers, inferencesPerPass } = fromLink(text);
  const parts = text.split('~').slice(1);
  const after = (letter: string) => parts.find((part) => part.startsWith(letter))?.slice(1);
  return {
    classIds,
    layers,
    exampleId: after('e') ?? null,
    images: inferencesPerPass,
    quantity: QUANTITIES.find((name) => name === after('q')) ?? 'alpha',
  };
}
