// Without times of an earlier run, for example in CI, Jest orders files by size. A small file that takes a minute
// would then run last, while another core is idle.
import TestSequencer from '@jest/test-sequencer';

/** Files that take more than half a minute, longest first. */
const LONG = [
  'test/pipeline.e2e.spec.ts',
  'apps/worker/src/worker.contract.spec.ts',
  'test/gpu-check.e2e.spec.ts',
  'apps/cli/src/online.contract.spec.ts',
  'libs/store-mongo/src/store-mongo.contract.spec.ts',
  'test/docs.e2e.spec.ts',
  'test/scale-out.e2e.spec.ts',
  'test/datasets.e2e.spec.ts',
  'apps/cli/src/offline.contract.spec.ts',
  'libs/executor/src/executor-host.contract.spec.ts',
  'test/adaptive.e2e.spec.ts',
  'test/dashboard-networks.e2e.spec.ts',
];

export default class LongFirst extends TestSequencer {
  sort(tests) {
    const rank = ({ path }) => {
      const at = LONG.findIndex((file) => path.endsWith(file));
      return at === -1 ? LONG.length : at;
    };
    return super.sort(tests).toSorted((a, b) => rank(a) - rank(b));
  }
}
