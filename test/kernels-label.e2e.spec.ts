/** `kernels label` as in scripts, on the fake cuDNN of the tests. For the real cuDNN: npm run test:cudnn. */
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { buildFakeGpu } from '@alphaflops/nvidia/testing';

const program = resolve(import.meta.dirname, '../apps/cli/bin/alphaflops.js');
const gpu = buildFakeGpu();
const withGcc = gpu === null ? describe.skip : describe;
if (gpu === null) it.skip('gcc is not installed: the fake cuDNN cannot be built', () => undefined);

withGcc('kernels label', () => {
  let directory: string;
  const at = (name: string) => join(directory, name);
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'alphaflops-labels-'));
    await writeFile(at('device.json'), '{"deviceVer":900}\n');
    await writeFile(
      at('specs.csv'),
      'note,height,width,cin,cout,kernel_h,kernel_w,kernel\n"a, b",9,12,6,10,3,2,old\nc,1048576,1048576,6,10,3,3,\n',
    );
  });
  afterAll(async () => {
    await rm(directory, { recursive: true });
    gpu?.remove();
  });

  function ran(
    args: readonly string[],
    env: Record<string, string> = {},
  ): Promise<{ exitCode: number; out: string; err: string }> {
    const libraries = { LD_LIBRARY_PATH: (gpu?.libraryPath ?? []).join(':'), ...env };
    return new Promise((done) => {
      execFile(
        process.execPath,
        [program, ...args],
        { env: { PATH: process.env['PATH'] ?? '', HOME: directory, ...libraries } },
        (error, out, err) => {
          done({ exitCode: error === null ? 0 : Number(error.code), out, err });
        },
      );
    });
  }

  const label = (args: readonly string[], env: Record<string, string> = {}) =>
    ran(['kernels', 'label', '--data', at('specs.csv'), '--out', at('labels.csv'), ...args], env);

  it('adds kernel and workspace to the columns of the file, and reports shapes without a kernel', async () => {
    const labelled = await label(['--device-properties', at('device.json')]);
    expect(labelled).toMatchObject({ exitCode: 0, out: '' });
    expect(labelled.err).toContain(
      '1 convolutions labelled by cuDNN 9.19.0 for compute capability 9.0. 1 have no kernel',
    );
    expect(labelled.err).toContain('CUDNN_STATUS_NOT_SUPPORTED (tensors have less than 2^31 elements)');
    expect(await readFile(at('labels.csv'), 'utf8')).toBe(
      'note,height,width,cin,cout,kernel_h,kernel_w,kernel,workspace_bytes\n' +
        '"a, b",9,12,6,10,3,2,eng1_k2=4,5007\nc,1048576,1048576,6,10,3,3,,\n',
    );
  });

  it.each<[string, string[], Record<string, string>, number, RegExp]>([
    ['neither properties nor class', [], {}, 2, /Name either --device-properties FILE or --device-class ID/],
    [
      'a file that is absent',
      ['--device-properties', '/absent.json'],
      {},
      2,
      /\/absent\.json cannot be read/,
    ],
    ['other JSON', ['--device-properties', 'OTHER'], {}, 1, /lack deviceVer/],
    [
      'no cuDNN',
      ['--device-properties', 'DEVICE'],
      { LD_LIBRARY_PATH: '' },
      1,
      /cuDNN cannot be used: .*libcudnn/,
    ],
    [
      'a cuDNN that is too old',
      ['--device-properties', 'DEVICE'],
      { FAKE_GPU_FAULT: 'cudnn-8.8' },
      1,
      /needs cuDNN 8\.9 or newer/,
    ],
    [
      'a broken cuDNN',
      ['--device-properties', 'DEVICE'],
      { FAKE_GPU_FAULT: 'broken' },
      1,
      /SUBLIBRARY_UNAVAILABLE/,
    ],
    [
      'a cuDNN that ends the process',
      ['--device-properties', 'DEVICE'],
      { FAKE_GPU_FAULT: 'abort' },
      1,
      /cuDNN ended the process by signal SIGABRT/,
    ],
  ])('says what is wrong: %s', async (_what, args, env, exitCode, message) => {
    await writeFile(at('other.json'), '{}');
    const named = args.map((arg) =>
      arg.replace('OTHER', at('other.json')).replace('DEVICE', at('device.json')),
    );
    const failed = await label(named, env);
    expect(failed.err).toMatch(message);
    expect(failed.exitCode).toBe(exitCode);
  });

  it('shows the kernels of predictions, if the cuDNN is that of the model', async () => {
    const rows = Array.from({ length: 60 }, (_, i) => `${9 + i},12,6,10,3,3,${0.01 + 0.001 * i},eng${i % 2}`);
    await writeFile(
      at('timed.csv'),
      ['height,width,cin,cout,kernel_h,kernel_w,time_ms,kernel', ...rows, ''].join('\n'),
    );
    await writeFile(at('unknown.csv'), 'height,width,cin,cout,kernel_h,kernel_w\n9,12,6,10,3,3\n');
    const fit = ['fit', '--data', at('timed.csv'), '--form', 'kernel-waves', '--out', at('model.json')];
    expect(await ran([...fit, '--cudnn', '9.19.0', '--compute-capability', '9.0'])).toMatchObject({
      exitCode: 0,
    });
    const predict = ['predict', '--model', at('model.json'), '--data', at('unknown.csv'), '--out', '-'];
    const known = await ran([...predict, '--cudnn', at('device.json')]);
    expect(known.out).toMatch(/,eng1_k2=4,1\n$/);
    const conv = {
      op: 'convolution',
      dtype: 'f32',
      kind: 'conv',
      batch: 1,
      kernel: [3, 3],
      cin: 6,
      cout: 10,
    };
    const layers = [9, 11, 9].map((height, i) => ({ ...conv, name: `layer${i}`, input: [height, 12] }));
    const list = { format: 'alphaflops.layers/1', name: 'Small', batch: 1, layers, not_costed: [] };
    await writeFile(at('network.json'), JSON.stringify(list));
    const inNetwork = ['predict', '--model', at('model.json'), '--network', at('network.json'), '--json'];
    const network = await ran([...inNetwork, '--cudnn', at('device.json'), '--training']);
    const { layers: predicted } = JSON.parse(network.out) as { layers: { kernel: unknown }[] };
    const byCudnn = { name: 'eng1_k2=4', probability: 1, source: 'cudnn' };
    expect(predicted.map(({ kernel }) => kernel)).toEqual([byCudnn, byCudnn, byCudnn]);
    await writeFile(at('other-gpu.json'), '{"deviceVer":800}');
    const other = await ran([...predict, '--cudnn', at('other-gpu.json')]);
    expect(other.err).toMatch(
      /Kernels do not come from cuDNN: .*9\.0; this machine has cuDNN 9\.19\.0, used for 8\.0/,
    );
    expect(other.out).toMatch(/,eng[01],[\d.]+\n$/);
  });
});
