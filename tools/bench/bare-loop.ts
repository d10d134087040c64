// The bare executor in a separate process. Each message is a list of specs. The process measures them one after the
// other and answers with the time in milliseconds.
import { createExecutor } from '@alphaflops/executor/testing';
import { measureSpec, systemClock } from '@alphaflops/executor';
import type { ConvSpec } from '@alphaflops/conv';
import { protocolNamed } from '@alphaflops/measure';

const session = await createExecutor('fake-one').open('fake-device-0');
const protocol = protocolNamed('gpu');

process.on('message', (specs: ConvSpec[]) => {
  void measure(specs).then((ms) => process.send?.(ms));
});
process.send?.('ready');

async function measure(specs: readonly ConvSpec[]): Promise<number> {
  const beganMs = performance.now();
  for (const spec of specs) {
    const { outcome } = await measureSpec(session, spec, protocol, systemClock);
    if (outcome !== 'ok') throw new Error(`the outcome in the bare loop is ${outcome}`);
  }
  return performance.now() - beganMs;
}
