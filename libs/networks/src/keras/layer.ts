import type { NetworkBuilder } from '../network-builder.js';
import type { Shape } from '../shapes.js';
import type { ElementType } from '../tensors/tensor.js';
import type { KerasObject } from './config.js';

/** The application of a layer. */
export interface LayerCall {
  readonly name: string;
  readonly op: string;
  readonly config: KerasObject['config'];
  readonly type: ElementType;
  /** Sizes of its inputs, batch first; at least one. */
  readonly inputs: readonly Shape[];
  readonly builder: NetworkBuilder;
}

/** The sizes of the outputs of a layer; null for unknown sizes. */
export type LayerRule = (call: LayerCall) => readonly (Shape | null)[];

/** A rule with one output. */
export function single(of: (x: Shape, call: LayerCall) => Shape | null): LayerRule {
  return (call) => [of(call.inputs[0] ?? [], call)];
}

/** A sequence, an image or a volume, independent of the order of its axes. */
export interface Image {
  readonly batch: number;
  readonly channels: number;
  readonly spatial: readonly number[];
  readonly isFirst: boolean;
}

export function imageOf([batch = 1, ...rest]: Shape, dataFormat: unknown): Image {
  const isFirst = dataFormat === 'channels_first';
  const channels = (isFirst ? rest[0] : rest.at(-1)) ?? 1;
  return { batch, channels, isFirst, spatial: isFirst ? rest.slice(1) : rest.slice(0, -1) };
}

export function shapeOf({ batch, isFirst }: Image, spatial: readonly number[], channels: number): Shape {
  return isFirst ? [batch, channels, ...spatial] : [batch, ...spatial, channels];
}
