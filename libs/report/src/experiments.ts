import { CONV_SPEC_DEFAULTS, type ConvSpec } from '@alphaflops/conv';
import { PAPER_SERIES, plan } from '@alphaflops/planning';

/** One figure of a paper: the axis that it varies, and the property that distinguishes its curves. */
export interface Experiment {
  readonly id: string;
  readonly title: string;
  readonly source: 'paper' | 'replication';
  readonly xLabel: string;
  readonly isLogarithmic: boolean;
  readonly points: readonly ExperimentPoint[];
}

export interface ExperimentPoint {
  readonly spec: ConvSpec;
  readonly x: number;
  /** Name of the curve that a convolution belongs to. */
  readonly curve: string;
}

interface Axis {
  readonly title: string;
  readonly xLabel: string;
  readonly isLogarithmic?: boolean;
  /** @param index position in the series of the paper */
  readonly x: (spec: ConvSpec, index: number) => number;
  readonly curve: (spec: ConvSpec, index: number) => string;
}

const PROGRESSIVE = 5;
const KERNELS = 28;
const PRODUCTS = [1500, 2100, 3000, 4500];
const kernel = ({ kernel_h }: ConvSpec): number => kernel_h;
const inputChannels = ({ cin }: ConvSpec): string => `Cin = ${cin}`;
const productOf = ({ cin, kernel_h }: ConvSpec): number =>
  PRODUCTS.reduce((a, b) => (Math.abs(b - cin * kernel_h) < Math.abs(a - cin * kernel_h) ? b : a));

const PAPER: Readonly<Record<keyof typeof PAPER_SERIES, Axis>> = {
  conv_K_vs_S: {
    title: 'Kernel against image side, their product 300: equal multiply-adds',
    xLabel: 'kernel side',
    x: kernel,
    curve: ({ cin }) => `${cin} channels`,
  },
  increasing_W: {
    title: 'One side of the image grows; the other is 100, 100 output channels, 3×3 kernels',
    xLabel: 'image side',
    x: ({ height }) => height,
    curve: inputChannels,
  },
  increasing_Cout: {
    title: 'Output channels grow; 100×100 points, 3×3 kernels',
    xLabel: 'output channels',
    x: ({ cout }) => cout,
    curve: inputChannels,
  },
  increasing_Cout_with_K1: {
    title: 'Output channels grow; 1×1 kernels, 50 input channels, height 300',
    xLabel: 'output channels',
    x: ({ cout }) => cout,
    curve: ({ width }) => `width ${width}`,
  },
  conv_K_vs_C: {
    title: 'Kernel against channels, their product fixed: equal multiply-adds on 10×10 points',
    xLabel: 'kernel side',
    x: kernel,
    curve: (_, index) => `K·C = ${PRODUCTS[Math.floor(index / KERNELS)] ?? ''}`,
  },
  conv_fixed_progressive: {
    title: 'A dense layer reshaped into ever more points with fewer channels: equal multiply-adds',
    xLabel: 'channels of the dense layer',
    isLogarithmic: true,
    x: ({ height, width, cin, cout }) => Math.sqrt(height * width * cin * cout),
    curve: ({ height, width, cin, cout }, index) =>
      index % PROGRESSIVE === 0 ? 'dense' : `${height}×${width}${cin === cout ? '' : ', narrow'}`,
  },
  'incresing_Cin_100-1000': {
    title: 'Input channels grow; 10×10 points, 1000 output channels',
    xLabel: 'input channels',
    x: ({ cin }) => cin,
    curve: ({ kernel_h }) => `kernel ${kernel_h}`,
  },
  increasing_batch: {
    title: 'The batch of a dense layer grows',
    xLabel: 'batch',
    x: ({ batch }) => batch,
    curve: ({ cin }) => `${cin} channels`,
  },
};

const REPLICATION: Readonly<Record<'A' | 'B' | 'C' | 'D' | 'E' | 'F' | 'G', Axis>> = {
  A: {
    title: 'Channels doubled at equal multiply-adds on 1×2, 2×2 and 4×4 points, 1×1 kernels',
    xLabel: 'scale of the channels',
    isLogarithmic: true,
    x: ({ cout, height }) => cout / (height === 4 ? 25 : 50),
    curve: ({ height, width }) => `${height}×${width} points`,
  },
  B: {
    title: 'Kernel against channels, their product fixed, on 10×10 points',
    xLabel: 'kernel side',
    x: kernel,
    curve: (spec) => `K·C = ${productOf(spec)}`,
  },
  C: {
    title: 'Kernel against image side, their product 300',
    xLabel: 'kernel side',
    x: kernel,
    curve: ({ cin }) => `${cin} channels`,
  },
  D: {
    title: 'Width grows by ones; height and output channels 100, 3×3 kernels',
    xLabel: 'width',
    x: ({ width }) => width,
    curve: inputChannels,
  },
  E: {
    title: 'Output channels grow by ones; 100×100 points, 3×3 kernels',
    xLabel: 'output channels',
    x: ({ cout }) => cout,
    curve: inputChannels,
  },
  F: {
    title: 'Output channels grow by ones; width 100, 50 input channels, 1×1 kernels',
    xLabel: 'output channels',
    x: ({ cout }) => cout,
    curve: ({ height }) => `height ${height}`,
  },
  G: {
    title: 'Input channels grow by ones; 10×10 points, 1000 output channels',
    xLabel: 'input channels',
    x: ({ cin }) => cin,
    curve: ({ kernel_h }) => `kernel ${kernel_h}`,
  },
};

/** The eight series of the figures in the paper, then experiments A–G of the replication. */
export function experiments(): readonly Experiment[] {
  const paper = Object.entries(PAPER).map(([id, axis]) => {
    const specs = (PAPER_SERIES[id] ?? []).map((shape): ConvSpec => ({ ...CONV_SPEC_DEFAULTS, ...shape }));
    return experiment(id, 'paper', axis, specs);
  });
  const replication = Object.entries(REPLICATION).map(([letter, axis]) => {
    const name = `replication-${letter as keyof typeof REPLICATION}` as const;
    // Designs are planned in a shuffled order.
    const { points, ...rest } = experiment(
      letter,
      'replication',
      axis,
      plan({ name }, { specs: 10_000 }).specs,
    );
    const inOrder = (a: ExperimentPoint, b: ExperimentPoint) =>
      a.curve.localeCompare(b.curve, 'en', { numeric: true });
    return { ...rest, points: points.toSorted(inOrder) };
  });
  return [...paper, ...replication];
}

function experiment(
  id: string,
  source: Experiment['source'],
  { title, xLabel, isLogarithmic = false, x, curve }: Axis,
  specs: readonly ConvSpec[],
): Experiment {
  const points = specs.map((spec, index) => ({ spec, x: x(spec, index), curve: curve(spec, index) }));
  return { id, title, source, xLabel, isLogarithmic, points };
}
