import type { Measurement } from '@alphaflops/contracts';
import { CONV_SPEC_DEFAULTS, type ConvSpec, specKey } from '@alphaflops/conv';
import { measureSpec, systemClock } from '@alphaflops/executor';
import { createExecutor } from '@alphaflops/executor/testing';
import { protocolNamed } from '@alphaflops/measure';

/** `count` different specs that are quick to check. */
export function smallSpecs(count: number): ConvSpec[] {
  return Array.from({ length: count }, (_, i) => ({
    ...CONV_SPEC_DEFAULTS,
    ...{ height: 8, width: 8, kernel_h: 1, kernel_w: 1 },
    cin: 1 + (i % 100),
    cout: 1 + Math.floor(i / 100),
  }));
}

/** The results of the fake executor by spec key. They are computed once and reused. */
export async function measurementsOf(specs: readonly ConvSpec[]): Promise<Map<string, Measurement>> {
  const session = await createExecutor('fake-one').open('fake-device-0');
  const protocol = protocolNamed('gpu');
  const found = new Map<string, Measurement>();
  for (const spec of specs) {
    found.set(specKey(spec), await measureSpec(session, spec, protocol, systemClock));
  }
  return found;
}
