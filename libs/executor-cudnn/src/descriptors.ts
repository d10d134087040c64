import type { AttributeType, Backend, Descriptor, DescriptorKind } from './backend.js';

/** Descriptors with a common lifetime. They are destroyed in the reverse order. */
export class Descriptors {
  private readonly made: Descriptor[] = [];

  constructor(readonly backend: Backend) {}

  /** An empty descriptor, for results that cuDNN writes into it. */
  empty(kind: DescriptorKind): Descriptor {
    const descriptor = this.backend.create(kind);
    this.made.push(descriptor);
    return descriptor;
  }

  /** A descriptor with these attributes, finalised. @throws GpuError */
  finalized(kind: DescriptorKind, attributes: readonly Attribute[]): Descriptor {
    const descriptor = this.empty(kind);
    for (const { name, type, values } of attributes) this.backend.set(descriptor, name, type, values);
    this.backend.finalize(descriptor);
    return descriptor;
  }

  destroyAll(): void {
    for (const descriptor of this.made.splice(0).reverse()) this.backend.destroy(descriptor);
  }
}

/** The value of one attribute, in the form for cuDNN. */
export interface Attribute {
  readonly name: number;
  readonly type: AttributeType;
  readonly values: ArrayBufferView & { readonly length: number };
}

export function int64s(name: number, ...values: readonly (number | bigint)[]): Attribute {
  return { name, type: 'int64', values: BigInt64Array.from(values, BigInt) };
}

/** A value of an enumeration of C. */
export function enumerated(
  name: number,
  type: 'dataType' | 'convolutionMode' | 'heuristicMode',
  value: number,
): Attribute {
  return { name, type, values: Int32Array.of(value) };
}

export function float(name: number, value: number): Attribute {
  return { name, type: 'float', values: Float32Array.of(value) };
}

/** Descriptors, handles, or pointers into device memory. */
export function references(
  name: number,
  type: 'descriptor' | 'handle' | 'pointer',
  ...values: readonly bigint[]
): Attribute {
  return { name, type, values: BigUint64Array.from(values) };
}

/** Text with a zero at its end. */
export function text(name: number, value: string): Attribute {
  return { name, type: 'char', values: Buffer.from(`${value}\0`) };
}
