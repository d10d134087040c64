import { energyMeterConformance } from '@alphaflops/executor/testing';
import { FakeKernel } from './fake-kernel.spec.helper.js';
import { openPowercap } from './powercap-meter.js';

const PID = 77;

describe('powercap meter', () => {
  let kernel: FakeKernel;
  beforeEach(() => {
    kernel = new FakeKernel();
    kernel.processor();
  });
  afterEach(() => {
    kernel.dispose();
  });

  const open = () => openPowercap(kernel.root, PID);
  const opened = () => {
    const result = open();
    if (!result.ok) throw new Error(result.reason);
    return result.meter;
  };

  describe('conforms', () => {
    beforeEach(() => {
      kernel.zone('intel-rapl:0', 'package-0', 5_000_000);
    });
    energyMeterConformance({
      open,
      draw: (powerW, durationMs) => {
        kernel.advance('intel-rapl:0', powerW * durationMs * 1000);
      },
      countsHost: true,
    });
  });

  it('adds up all packages and their memory, without counting any twice', () => {
    kernel.zone('intel-rapl:0', 'package-0', 10);
    kernel.zone('intel-rapl:0:0', 'core', 10);
    kernel.zone('intel-rapl:0:1', 'dram', 10);
    kernel.zone('intel-rapl:1', 'package-1', 10);
    kernel.zone('intel-rapl:2', 'psys', 10);
    kernel.zone('intel-rapl-mmio:0', 'package-0', 10);
    const meter = opened();
    expect(meter.description).toMatchObject({
      name: 'powercap-package-dram',
      domains: ['package-0', 'dram-0', 'package-1'],
      resolutionMj: 1000 / 16384,
    });
    for (const [entry, stepUj] of [
      ['intel-rapl:0', 1000],
      ['intel-rapl:0:0', 50_000],
      ['intel-rapl:0:1', 200],
      ['intel-rapl:1', 30],
      ['intel-rapl:2', 70_000],
      ['intel-rapl-mmio:0', 90_000],
    ] as const) {
      kernel.advance(entry, stepUj);
    }
    expect(meter.read().energyMillijoules).toBeCloseTo(1.23, 12);
  });

  it('continues to count when a counter starts again at 0', () => {
    kernel.zone('intel-rapl:0', 'package-0', 65_000_000, 65_532_610_987);
    kernel.zone('intel-rapl:1', 'package-1', 5, 65_532_610_987);
    const meter = opened();
    for (let step = 0; step < 5; step++) {
      kernel.advance('intel-rapl:0', 30_000_000_000, 65_532_610_987);
      expect(meter.read().energyMillijoules).toBeCloseTo(30_000_000 * (step + 1), 3);
    }
  });

  it('counts the processor time of other programs, but not of its own process and its children', () => {
    kernel.zone('intel-rapl:0', 'package-0', 10);
    kernel.processor({ otherTicks: 250, ownTicks: 4000 });
    expect(opened().otherProcessorMs()).toBe(2500);
  });

  it('gives the command that grants the permission if only root may read', () => {
    // The real file belongs to root and has the mode 0400. This one belongs to the user of the test.
    kernel.zone('intel-rapl:0', 'package-0', 10, 100, 0o000);
    const result = asOtherUser(open);
    expect(result).toMatchObject({
      ok: false,
      reason: expect.stringMatching(/root only.*sudo find .* chmod a\+r/),
    });
  });

  it.each([
    ['virtual machine', { flags: 'fpu hypervisor sse2' }, /virtual machine.*not passed on/],
    ['processor without RAPL', {}, /no RAPL counters/],
  ])('gives the reason why it is missing: %s', (_which, processor, reason) => {
    kernel.processor(processor);
    expect(open()).toMatchObject({ ok: false, reason: expect.stringMatching(reason) });
  });

  it('refuses a counter without a number, and a machine that hides its programs', () => {
    kernel.zone('intel-rapl:0', 'package-0', 10);
    kernel.write('sys/class/powercap/intel-rapl:0/energy_uj', '');
    expect(open()).toMatchObject({ ok: false, reason: expect.stringContaining('holds no energy') });
    kernel.zone('intel-rapl:0', 'package-0', 10);
    kernel.remove('proc/77');
    expect(open()).toMatchObject({ ok: false, reason: expect.stringContaining('does not show') });
  });

  it('throws when a counter disappears while it is used', () => {
    kernel.zone('intel-rapl:0', 'package-0', 10);
    const meter = opened();
    kernel.remove('sys/class/powercap/intel-rapl:0');
    expect(() => meter.read()).toThrow(/holds no energy any more/);
  });
});

const real = openPowercap('/', process.pid);
if (real.ok) {
  describe('powercap meter of this machine', () => {
    energyMeterConformance({ open: () => openPowercap('/', process.pid), countsHost: true });
  });
} else {
  it.skip(`powercap meter of this machine: ${real.reason}`, () => undefined);
}

/** Root can read every file, so the test of the permission runs as another user. */
function asOtherUser<T>(work: () => T): T {
  if (process.geteuid?.() !== 0) return work();
  process.seteuid?.(65534);
  try {
    return work();
  } finally {
    process.seteuid?.(0);
  }
}
