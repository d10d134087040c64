import type { Model } from '@alphaflops/contracts';
import { CONV_SPEC_DEFAULTS, type ConvSpec } from '@alphaflops/conv';

/** The fitted shape that represents most other shapes; null when the document has none. */
export function typicalShape({ neighbours, domainLevels }: Model): ConvSpec | null {
  const [batch, height, width, cin, cout, kernel_h, kernel_w, stride, groups] = neighbours?.shapes[0] ?? [];
  if (!batch || !height || !width || !cin || !cout || !kernel_h || !kernel_w || !stride || !groups)
    return null;
  const [dtype] = domainLevels['dtype'] ?? [];
  return {
    ...CONV_SPEC_DEFAULTS,
    ...(dtype === 'f16' || dtype === 'bf16' ? { dtype } : {}),
    batch,
    height,
    width,
    cin,
    cout,
    kernel_h,
    kernel_w,
    stride,
    groups,
  };
}
