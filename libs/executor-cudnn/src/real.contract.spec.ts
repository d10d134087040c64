/** NVIDIA's real libraries, without a GPU: `npm run test:cudnn` (docs/testing.md). */
import { createReadStream, existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { CONV_SPEC_DEFAULTS, type ConvSpec } from '@alphaflops/conv';
import { readSpecs } from '@alphaflops/dataset';
import { createExecutor } from './index.js';
import { LabelProcess } from './label-kernels.js';
import type { KernelLabel, LabelOptions } from './label-messages.js';

const folder = process.env['ALPHAFLOPS_TEST_CUDNN'];
const real = folder === undefined ? describe.skip : describe;
if (folder === undefined) it.skip('NVIDIA’s libraries: run "npm run test:cudnn"', () => undefined);

const libraryPath = ['cudnn', 'cu13'].map((name) => join(folder ?? '', 'nvidia', name, 'lib'));
const deviceProperties = readFileSync(new URL('../test/device-h100.json', import.meta.url), 'utf8');
const OPTIONS: LabelOptions = { deviceProperties, tf32: true, padding: 'cudnn', libraryPath };
const SPEC: ConvSpec = {
  ...CONV_SPEC_DEFAULTS,
  ...{ height: 56, width: 56, cin: 64, cout: 64, kernel_h: 3, kernel_w: 3 },
};

async function labels(
  specs: Iterable<ConvSpec>,
  changes: Partial<LabelOptions> = {},
): Promise<KernelLabel[]> {
  const asked = await LabelProcess.start({ ...OPTIONS, ...changes });
  try {
    const all: KernelLabel[] = [];
    for await (const label of asked.label(specs)) all.push(label);
    return all;
  } finally {
    asked.close();
  }
}

real('cuDNN without a GPU', () => {
  const passes = ['forward', 'backward-data', 'backward-weights'] as const;
  const dtypes = ['f32', 'f16', 'bf16'] as const;
  const layouts = ['NCHW', 'NHWC'] as const;
  const changes: Partial<ConvSpec>[] = [
    {},
    { kernel_h: 2, kernel_w: 4 },
    { groups: 64 },
    { stride_h: 2, stride_w: 1, dilation_w: 2 },
    { padding: 'explicit', pad_top: 3, pad_right: 2 },
  ];

  it('has a kernel for every pass, precision, layout, and kind of padding', async () => {
    const specs = passes.flatMap((pass) =>
      dtypes.flatMap((dtype) =>
        layouts.flatMap((layout) => changes.map((change) => ({ ...SPEC, ...change, dtype, layout, pass }))),
      ),
    );
    const found = await labels(specs);
    expect(found).toHaveLength(specs.length);
    expect(found.filter(({ kernel }) => kernel === null)).toEqual([]);
    expect(new Set(found.map(({ kernel }) => kernel)).size).toBeGreaterThan(10);
  });

  it('names other kernels without TF32', async () => {
    const [withTf32] = await labels([SPEC]);
    const [without] = await labels([SPEC], { tf32: false });
    expect(withTf32?.kernel).toMatch(/^eng\d+(_k\d+=-?\d+)*$/);
    expect(without?.kernel).not.toBe(withTf32?.kernel);
  });

  it.each([
    ['{}', /lack deviceVer/],
    ['nonsense', /are not JSON/],
    ['{"deviceVer":900}', /cuDNN 9\.19\.0 does not take these device properties: .*BAD_PARAM.*maxGridSize/],
  ])('refuses %s as device properties', async (json, reason) => {
    await expect(labels([SPEC], { deviceProperties: json })).rejects.toMatchObject({
      code: 'start-failed',
      message: expect.stringMatching(reason) as string,
    });
  });

  it('names libcublasLt when it is missing, where cuDNN would end the process', async () => {
    await expect(labels([SPEC], { libraryPath: libraryPath.slice(0, 1) })).rejects.toMatchObject({
      message: expect.stringMatching(/^libcublasLt\.so\.13 is missing, which cuDNN needs/) as string,
    });
  });

  it('reports that no driver is present', async () => {
    const probed = await createExecutor('cudnn', { libraryPath }).probe();
    if (probed.ok) return; // A machine with a GPU.
    expect(probed.reason).toMatch(/no NVIDIA driver is installed here|NOT_INITIALIZED|cudaErrorNoDevice/);
  });
});

const data = join(import.meta.dirname, '../../../../shared/data');
const published = folder !== undefined && existsSync(data) ? describe : describe.skip;
published(
  'kernels that PyTorch 2.11 ran on an H100, by the same cuDNN (skipped without the reference data)',
  () => {
    /** PyTorch computes f32 depthwise convolutions by a kernel of its own. */
    const isOfPytorch = (kernel: string): boolean => kernel.startsWith('torch_');

    it.each([
      ['h100-random-kernels.csv', 5],
      ['h100-random-f16-kernels.csv', 2],
      ['h100-networklike-kernels.csv', 10],
      ['h100-kernel-labels.csv', 40],
    ])(
      'are named: %s, one row in %d',
      async (file, every) => {
        const rows: { spec: ConvSpec; kernel: string; workspaceBytes: number | undefined }[] = [];
        let at = 0;
        for await (const { spec, extras } of readSpecs(createReadStream(join(data, file)), file)) {
          const { kernel, workspace_bytes: workspaceBytes } = extras;
          if (at++ % every === 0 && kernel !== undefined && !isOfPytorch(kernel)) {
            rows.push({ spec, kernel, workspaceBytes });
          }
        }
        const beganMs = performance.now();
        const found = await labels(
          rows.map(({ spec }) => spec),
          { padding: 'pytorch' },
        );
        const ms = (performance.now() - beganMs) / rows.length;
        const agree = found.filter(({ kernel }, i) => kernel === rows[i]?.kernel).length;
        console.log(`${file}: ${agree} of ${rows.length} kernels agree, ${ms.toFixed(2)} ms each`);
        expect(agree / rows.length).toBeGreaterThan(0.99);
        const bytes = found.filter(
          (one, i) => one.kernel !== null && one.workspaceBytes === rows[i]?.workspaceBytes,
        );
        expect(bytes.length / rows.length).toBeGreaterThan(0.99);
      },
      120_000,
    );
  },
);
