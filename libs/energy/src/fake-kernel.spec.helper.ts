import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

/** Files of a fake kernel, in a separate folder. */
export class FakeKernel {
  readonly root = mkdtempSync(join(tmpdir(), 'alphaflops-fake-kernel-'));
  private readonly values = new Map<string, number>();

  constructor() {
    chmodSync(this.root, 0o755);
  }

  write(path: string, text: string | number, mode = 0o644): void {
    const file = join(this.root, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, `${text}\n`);
    chmodSync(file, mode);
  }

  remove(path: string): void {
    rmSync(join(this.root, path), { recursive: true });
  }

  /** A machine on which other programs used `otherTicks` of processor time, and process 77 and its child used `ownTicks`. */
  processor({ otherTicks = 0, ownTicks = 0, flags = 'fpu sse2', vendor = 'GenuineIntel' } = {}): void {
    this.write('proc/cpuinfo', `vendor_id\t: ${vendor}\nflags\t\t: ${flags}`);
    const child = 30;
    const user = otherTicks + ownTicks + child;
    this.write(
      'proc/stat',
      `cpu  ${user} 0 0 99999 50 0 0 0 0 0\ncpu0 ${user} 0 0 99999 50 0 0 0 0 0\nintr 1`,
    );
    this.write('proc/77/stat', stat(77, 'node (a) b', 1, ownTicks));
    this.write('proc/78/stat', stat(78, 'python3', 77, child));
    this.write('proc/79/stat', stat(79, 'other', 1, otherTicks));
  }

  /** One zone of RAPL. */
  zone(entry: string, name: string, energyUj: number, rangeUj = 262_143_328_850, mode = 0o644): void {
    const folder = `sys/class/powercap/${entry}`;
    this.write(`${folder}/name`, name);
    this.write(`${folder}/max_energy_range_uj`, rangeUj);
    this.write(`${folder}/energy_uj`, energyUj, mode);
    this.values.set(entry, energyUj);
  }

  /** Advances the counter of a zone, which starts again at 0 after `rangeUj`. */
  advance(entry: string, stepUj: number, rangeUj = 262_143_328_850): void {
    const energyUj = ((this.values.get(entry) ?? 0) + stepUj) % rangeUj;
    this.values.set(entry, energyUj);
    this.write(`sys/class/powercap/${entry}/energy_uj`, energyUj);
  }

  /** Sensors of the GPU at a PCI address. */
  sensors(address: string, driver: string, files: Readonly<Record<string, number>>): void {
    const folder = `sys/bus/pci/devices/${address}/hwmon/hwmon3`;
    this.write(`${folder}/name`, driver);
    for (const [name, value] of Object.entries(files)) this.write(`${folder}/${name}`, value);
  }

  dispose(): void {
    rmSync(this.root, { recursive: true, force: true });
  }
}

/** The format of proc(5): the name in brackets may contain spaces and brackets. */
function stat(pid: number, name: string, parent: number, ticks: number): string {
  return `${pid} (${name}) S ${parent} 1 1 0 -1 4194560 1 0 0 0 ${ticks} 0 0 0 20 0 1 0 100 1000 10`;
}
