/** The designs and their purpose; docs/designs.md has all details. */
export const DESIGNS = [
  ['networklike', 'typical shapes of image networks: the usual choice'],
  ['adaptive', 'network-like, chosen in rounds where the model is most uncertain'],
  ['random', 'log-uniform over all fields of a convolution'],
  ['paper-series', 'the series behind the figures of the 2021 paper (714)'],
  ['replication-A', 'channels at equal multiply-adds on few points (27)'],
  ['replication-B', 'kernel against channels (120)'],
  ['replication-C', 'kernel against size (120)'],
  ['replication-D', 'width 1–649 (1,947)'],
  ['replication-E', 'output channels 1–649, 3×3 kernel (1,947)'],
  ['replication-F', 'output channels 1–649, 1×1 kernel (1,947)'],
  ['replication-G', 'input channels 1–999 (2,997)'],
  ['replication-grid', 'the sweep behind the replication’s coefficients (134,540)'],
  ['csv', 'your own list'],
] as const;
export type DesignName = (typeof DESIGNS)[number][0];

export const SEEDED: readonly string[] = ['networklike', 'adaptive', 'random'];
