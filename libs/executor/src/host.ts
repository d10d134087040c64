import * as os from 'node:os';
import type { Provenance } from '@alphaflops/contracts';

/** Description of this machine for the provenance. */
export function describeHost(): Provenance['host'] {
  return {
    hostname: os.hostname(),
    cpu: os.cpus()[0]?.model.replace(/\s+/g, ' ').trim() || `${os.arch()} processor`,
    os: os.version(),
    kernel: `${os.type()} ${os.release()}`,
    node: process.version,
  };
}
