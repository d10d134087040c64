import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ProbedExecutor } from '@alphaflops/executor';
import { createExecutor } from '@alphaflops/executor/testing';
import { machineReport, nvidiaDriver } from './machine-report.js';

const GPU = 'GPU-3f1d2c4b-0000-0000-0000-000000000001';
const reason = 'libcudnn.so.9 or libcudnn.so.8 is missing (looked in LD_LIBRARY_PATH)';
const failed: ProbedExecutor = { module: 'm', executor: 'cudnn', result: { ok: false, reason } };

describe('the report of a machine', () => {
  it('lists the devices with their executors and libraries', async () => {
    const fake = await createExecutor('fake').probe();
    if (!fake.ok || fake.devices[0] === undefined) throw new Error('the fake works everywhere');
    const [device] = fake.devices;
    const provenance = {
      ...device.provenance,
      device: {
        ...device.provenance.device,
        driver: '580.65',
        migEnabled: false,
        cudnnPath: '/opt/lib/libcudnn.so.9',
      },
      libraries: { cuda: '13.0', cudnn: '9.12.0' },
    };
    const devices = [{ ...device, uuid: GPU, provenance }];
    const report = machineReport(
      [{ module: 'm', executor: 'cudnn', result: { ok: true, devices } }],
      null,
      'add',
    );
    expect(report).toMatch(
      new RegExp(
        `^Measures .*${GPU} with \\S+: driver 580.65, MIG off, CUDA 13.0, cuDNN 9.12.0 in /opt/lib, math `,
      ),
    );
    expect(report.split('\n')).toHaveLength(2);
  });

  it('explains how to get cuDNN only if a driver is present', async () => {
    const fake = await createExecutor('fake').probe();
    const probed = [failed, { module: 'm', executor: 'tfjs-wasm', result: fake }];
    const driver = { version: '580.65', gpus: [{ model: 'NVIDIA H100', uuid: GPU }] };
    const report = machineReport(probed, driver, 'worker add cudnn');
    expect(report).toContain(`Not measured  NVIDIA H100 ${GPU}, driver 580.65`);
    expect(report).toContain(`Cannot use    cudnn: ${reason}`);
    expect(report).toMatch(/There is an NVIDIA driver \(580\.65\)[^]*\n {2}worker add cudnn\n$/);
    expect(machineReport(probed, null, 'worker add cudnn')).not.toContain('worker add');
  });
});

describe("NVIDIA's driver", () => {
  it.each([
    [
      'NVRM version: NVIDIA UNIX x86_64 Kernel Module  535.104.05  Sat Aug 19 01:15:15 UTC 2023',
      '535.104.05',
    ],
    ['NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  580.65.06  Release Build', '580.65.06'],
  ])('is read from the kernel: %s', (line, version) => {
    const folder = mkdtempSync(join(tmpdir(), 'alphaflops-driver-'));
    try {
      expect(nvidiaDriver(folder)).toBeNull();
      writeFileSync(join(folder, 'version'), `${line}\nGCC version: 12\n`);
      mkdirSync(join(folder, 'gpus/0000:01:00.0'), { recursive: true });
      writeFileSync(
        join(folder, 'gpus/0000:01:00.0/information'),
        `Model: \t\t NVIDIA H100\nIRQ:   \t\t 33\nGPU UUID: \t ${GPU}\n`,
      );
      expect(nvidiaDriver(folder)).toEqual({ version, gpus: [{ model: 'NVIDIA H100', uuid: GPU }] });
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
