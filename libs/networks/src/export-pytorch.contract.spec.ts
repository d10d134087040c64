import { spawnSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { macs } from '@alphaflops/conv';
import { readNetwork } from './index.js';

const SCRIPT = resolve(import.meta.dirname, '../../../tools/export_pytorch.py');

/** A Python that has PyTorch. The tests do not install PyTorch, because it is too large. */
const python = [process.env['TORCH_PYTHON'] ?? 'python3', '/usr/bin/python3'].find(
  (path) => spawnSync(path, ['-c', 'import torch'], { stdio: 'ignore' }).status === 0,
);
if (python === undefined) {
  it.skip('PyTorch models are exported (skipped: no python3 with torch; TORCH_PYTHON names one)', () =>
    undefined);
}
const withPyTorch = python === undefined ? describe.skip : describe;

const MODEL = `
import torch
from torch import nn
import torch.nn.functional as F

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(3, 16, 3, stride=2, padding=1)
        self.depthwise = nn.Conv2d(16, 16, 3, padding=1, groups=16)
        self.dilated = nn.Conv2d(16, 16, 3, padding=2, dilation=2)
        self.up = nn.ConvTranspose2d(16, 8, 4, stride=2, padding=1)
        self.row = nn.Conv1d(8, 4, 5, padding=2)
        self.volume = nn.Conv3d(1, 1, 3)
        self.fc = nn.Linear(4, 10)

    def forward(self, x):
        x = self.up(self.dilated(self.depthwise(F.relu(self.stem(x)))))
        x = F.conv2d(x, torch.zeros(8, 8, 1, 1, device=x.device, dtype=x.dtype))
        self.volume(x[:, None, :3])
        return self.fc(self.row(x.flatten(2)).mean(2))

class Recurrent(nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm = nn.LSTM(16, 32, batch_first=True)
        self.fc = nn.Linear(32, 10)
        self.mix = nn.Parameter(torch.zeros(10, 4))

    def forward(self, x):
        y = torch.einsum('btc,cd->btd', self.fc(self.lstm(x)[0]), self.mix)
        return y @ y.transpose(1, 2)

class LooksAtValues(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3)

    def forward(self, x):
        return self.conv(x) if x.sum().item() > 0 else x

def scripted():
    return torch.jit.script(nn.Sequential(nn.Conv2d(3, 4, 3)))
`;

withPyTorch('PyTorch models are exported', () => {
  let directory: string;
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'alphaflops-torch-'));
    await writeFile(join(directory, 'net.py'), MODEL);
  });
  afterAll(() => rm(directory, { recursive: true }));

  const run = (...args: string[]) =>
    spawnSync(python ?? '', [SCRIPT, ...args, '--out', '-'], { cwd: directory, maxBuffer: 2 ** 26 });

  it('modules and functional calls, each with its kind and size', () => {
    const { stdout, stderr } = run('net.py:Net', '--input', '2x3x32x32', '--dtype', 'f16');
    expect(stderr.toString()).toBe('');
    const network = readNetwork(stdout);
    expect(network).toMatchObject({ format: 'layer-list', name: 'Net', batch: 2 });
    expect(network.layers.map(({ name, spec }) => [name, spec.dtype, macs(spec)])).toEqual([
      ['stem', 'f16', 2 * 16 * 16 * 9 * 3 * 16],
      ['depthwise', 'f16', 2 * 16 * 16 * 9 * 16],
      ['dilated', 'f16', 2 * 16 * 16 * 9 * 16 * 16],
      ['up', 'f16', 2 * 16 * 16 * 16 * 16 * 8],
      ['Net', 'f16', 2 * 32 * 32 * 8 * 8],
      ['row', 'f16', 2 * 32 * 32 * 5 * 8 * 4],
      ['fc', 'f16', 2 * 4 * 10],
    ]);
    expect(network.completeness).toMatchObject({ isComplete: false, layersFound: 8, layersCosted: 7 });
    expect(network.completeness.missing).toEqual([
      { op: 'convolution', count: 1, reason: '3-dimensional', macs: 2 * 30 * 30 * 27 },
    ]);
    expect(network.notCosted).toContainEqual({ op: 'relu', count: 1, reason: null, macs: null });
  }, 60_000);

  it.each(['meta', 'cpu'])(
    'a recurrent layer as the ONNX operator, on %s',
    (device) => {
      const network = readNetwork(run('net.py:Recurrent', '--input', '1x20x16', '--device', device).stdout);
      const total = network.layers.reduce((sum, { spec }) => sum + macs(spec), 0);
      expect(total).toBe(122_880 + 20 * 32 * 10 + 20 * 10 * 4);
      expect(network.layers).toHaveLength(1 + 20 + 2);
      expect(network.completeness.missing).toEqual([
        { op: 'bmm', count: 1, reason: 'product of two activations', macs: 20 * 4 * 20 },
      ]);
    },
    60_000,
  );

  it.each([
    ['a ScriptModule', 'net.py:scripted', '1x3x8x8', /ScriptModule.*Give the Python model/],
    ['a model that looks at values', 'net.py:LooksAtValues', '1x3x8x8', /Try --device cpu/],
    ['sizes that do not fit', 'net.py:Recurrent', '1x20x15', /It failed on 1x20x15 in f32/],
  ])(
    '%s is refused with a message',
    (_, model, input, message) => {
      const { status, stderr } = run(model, '--input', input);
      expect([status, stderr.toString()]).toEqual([1, expect.stringMatching(message)]);
      expect(stderr.toString()).not.toContain('Traceback');
    },
    60_000,
  );

  it('a missing model is refused with a message', () => {
    const { status, stderr } = run('net.py:Other', '--input', '1x3x8x8');
    expect([status, stderr.toString()]).toEqual([1, expect.stringMatching(/^net\.py:Other: .*Other/)]);
  }, 60_000);
});
