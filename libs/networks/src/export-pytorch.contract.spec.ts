import { spawnSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { macs } from '@alphaflops/conv';
import { readNetwork } from './index.js';

const SCRIPT = resolve(import.meta.dirname, '../../../tools/export_pytorch.py');

/** A Python that has PyTorch: one is never installed for this, it is too large. */
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

  it('modules and functional calls, each by its kind and size', () => {
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
    expect(network.notCosted).toContainEqual({ op: 'convolution', count: 1, reason: '3-dimensional' });
    expect(network.notCosted).toContainEqual({ op: 'relu', count: 1, reason: null });
  }, 60_000);

  it('a model that is not there is refused in words', () => {
    const { status, stderr } = run('net.py:Other', '--input', '1x3x8x8');
    expect([status, stderr.toString()]).toEqual([1, expect.stringMatching(/^net\.py:Other: .*Other/)]);
  }, 60_000);
});
