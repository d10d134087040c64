/** One step of a network, as in the tables of the papers. ONNX uses NCHW, Keras uses NHWC. */
export type Step =
  | {
      kind: 'conv';
      name: string;
      from: string;
      cin: number;
      cout: number;
      kernel: number;
      stride?: number;
      groups?: number;
      dilation?: number;
      padding: 'torch' | 'valid';
    }
  /** A transposed convolution of 2×2 with stride 2, which doubles both sides. */
  | { kind: 'up-conv'; name: string; from: string; cin: number; cout: number }
  | { kind: 'max-pool'; name: string; from: string; kernel: number; stride: number; pad: number }
  | { kind: 'add' | 'concat'; name: string; from: string; and: string }
  | { kind: 'relu' | 'global-pool' | 'flatten'; name: string; from: string }
  | { kind: 'dense'; name: string; from: string; cin: number; cout: number };

/** Appends consecutive steps. */
export class Architecture {
  readonly steps: Step[] = [];
  last = 'image';

  add<S extends Step>(step: Omit<S, 'name' | 'from'> & { from?: string }): string {
    const name = `${step.kind}_${this.steps.length}`;
    this.steps.push({ from: this.last, ...step, name } as unknown as Step);
    this.last = name;
    return name;
  }

  conv(
    cin: number,
    cout: number,
    kernel: number,
    more: { stride?: number; groups?: number; dilation?: number; from?: string } = {},
  ) {
    return this.add<Step & { kind: 'conv' }>({ kind: 'conv', cin, cout, kernel, padding: 'torch', ...more });
  }

  dense(cin: number, cout: number) {
    return this.add<Step & { kind: 'dense' }>({ kind: 'dense', cin, cout });
  }

  simple(kind: 'relu' | 'global-pool' | 'flatten') {
    return this.add<Step & { kind: 'relu' }>({ kind: kind as 'relu' });
  }

  maxPool(kernel: number, stride: number, pad: number) {
    return this.add<Step & { kind: 'max-pool' }>({ kind: 'max-pool', kernel, stride, pad });
  }

  sum(a: string, b: string) {
    return this.add<Step & { kind: 'add' }>({ kind: 'add', from: a, and: b });
  }

  concat(a: string, b: string) {
    return this.add<Step & { kind: 'concat' }>({ kind: 'concat', from: a, and: b });
  }

  upConv(cin: number, cout: number) {
    return this.add<Step & { kind: 'up-conv' }>({ kind: 'up-conv', cin, cout });
  }
}

/** He et al. 2015, table 1, with the stride in the 3×3 convolution as in torchvision. */
export function resNet50(): Architecture {
  const net = new Architecture();
  net.conv(3, 64, 7, { stride: 2 });
  net.simple('relu');
  net.maxPool(3, 2, 1);
  let cin = 64;
  for (const [width, blocks, firstStride] of [
    [64, 3, 1],
    [128, 4, 2],
    [256, 6, 2],
    [512, 3, 2],
  ] as const) {
    for (let block = 0; block < blocks; block++) {
      const stride = block === 0 ? firstStride : 1;
      const input = net.last;
      net.conv(cin, width, 1);
      net.conv(width, width, 3, { stride });
      const branch = net.conv(width, 4 * width, 1);
      const shortcut = block === 0 ? net.conv(cin, 4 * width, 1, { stride, from: input }) : input;
      net.sum(branch, shortcut);
      net.simple('relu');
      cin = 4 * width;
    }
  }
  net.simple('global-pool');
  net.simple('flatten');
  net.dense(2048, 1000);
  return net;
}

/** Simonyan and Zisserman 2014, configuration D. */
export function vgg16(): Architecture {
  const net = new Architecture();
  let cin = 3;
  for (const [width, count] of [
    [64, 2],
    [128, 2],
    [256, 3],
    [512, 3],
    [512, 3],
  ] as const) {
    for (let i = 0; i < count; i++) {
      net.conv(cin, width, 3);
      net.simple('relu');
      cin = width;
    }
    net.maxPool(2, 2, 0);
  }
  net.simple('flatten');
  net.dense(512 * 7 * 7, 4096);
  net.dense(4096, 4096);
  net.dense(4096, 1000);
  return net;
}

/** Sandler et al. 2018, table 2. */
export function mobileNetV2(): Architecture {
  const net = new Architecture();
  net.conv(3, 32, 3, { stride: 2 });
  let cin = 32;
  for (const [expansion, cout, count, firstStride] of [
    [1, 16, 1, 1],
    [6, 24, 2, 2],
    [6, 32, 3, 2],
    [6, 64, 4, 2],
    [6, 96, 3, 1],
    [6, 160, 3, 2],
    [6, 320, 1, 1],
  ] as const) {
    for (let i = 0; i < count; i++) {
      const input = net.last;
      const wide = cin * expansion;
      if (expansion !== 1) net.conv(cin, wide, 1);
      net.conv(wide, wide, 3, { stride: i === 0 ? firstStride : 1, groups: wide });
      const branch = net.conv(wide, cout, 1);
      if (i > 0) net.sum(branch, input);
      cin = cout;
    }
  }
  net.conv(320, 1280, 1);
  net.simple('global-pool');
  net.simple('flatten');
  net.dense(1280, 1000);
  return net;
}

/** Channels of each level of the U-Net below, and dilations in its middle. */
export const U_NET = { widths: [64, 128, 256, 512], middle: 1024, dilations: [1, 2, 4, 8] } as const;

/**
 * Ronneberger et al. 2015, figure 1, with “same” padding and two classes. The middle has dilated convolutions,
 * stacked as in Yu and Koltun 2015.
 */
export function uNet(): Architecture {
  const { widths, middle, dilations } = U_NET;
  const net = new Architecture();
  const twoConvs = (cin: number, cout: number) => {
    for (const from of [cin, cout]) {
      net.conv(from, cout, 3);
      net.simple('relu');
    }
  };
  const levels: { width: number; output: string }[] = [];
  let cin = 3;
  for (const width of widths) {
    twoConvs(cin, width);
    levels.push({ width, output: net.last });
    net.maxPool(2, 2, 0);
    cin = width;
  }
  for (const dilation of dilations) {
    net.conv(cin, middle, 3, { dilation });
    net.simple('relu');
    cin = middle;
  }
  for (const { width, output } of levels.reverse()) {
    net.concat(net.upConv(cin, width), output);
    twoConvs(2 * width, width);
    cin = width;
  }
  net.conv(cin, 2, 1);
  return net;
}
