import type { Conditions } from '@alphaflops/contracts';
import { GpuError } from './error.js';
import { textIn, type Library, type NativeCall } from './library.js';

export type NvmlDevice = bigint;

/** Names and values of nvml.h. */
const INVALID_ARGUMENT = 2;
const NOT_SUPPORTED = 3;
const NOT_FOUND = 6;
const INSUFFICIENT_SIZE = 7;
const FUNCTION_NOT_FOUND = 13;
const CLOCK_SM = 1;
const FIELD_POWER_INSTANT = 186;
/** Size of nvmlFieldValue_t: fieldId at 0, nvmlReturn at 28, value at 32. */
const FIELD_VALUE_BYTES = 40;
const TEMPERATURE_GPU = 0;
/** nvmlClocksThrottleReason…, with their names in `Conditions.throttleReasons`. */
const THROTTLE_REASONS: readonly (readonly [bit: bigint, name: string])[] = [
  [0x1n, 'gpu-idle'],
  [0x2n, 'applications-clocks-setting'],
  [0x4n, 'sw-power-cap'],
  [0x8n, 'hw-slowdown'],
  [0x10n, 'sync-boost'],
  [0x20n, 'sw-thermal-slowdown'],
  [0x40n, 'hw-thermal-slowdown'],
  [0x80n, 'hw-power-brake-slowdown'],
  [0x100n, 'display-clock-setting'],
];

/** Largest length of `Conditions.throttleReasons`. */
const MAX_REASONS = 20;

/** NVIDIA's management library. A method returns null if the device or its driver does not report the value. */
export class Nvml {
  private readonly errorString: (status: number) => string;
  private readonly calls = new Map<string, NativeCall>();

  /** Throws `GpuError` when the driver does not answer. */
  constructor(private readonly library: Library) {
    this.errorString = library.bindText('nvmlErrorString');
    this.call('nvmlInit_v2', '');
  }

  shutdown(): void {
    this.call('nvmlShutdown', '');
  }

  get driverVersion(): string {
    return this.text('nvmlSystemGetDriverVersion', 'void *text, uint32_t size');
  }

  /** @param busId as `cudaDeviceGetPCIBusId` writes it */
  deviceAt(busId: string): NvmlDevice {
    const out = new BigUint64Array(1);
    this.call('nvmlDeviceGetHandleByPciBusId_v2', 'const char *id, void *device', busId, out);
    return out[0] ?? 0n;
  }

  /** Null for a UUID that does not exist on this machine. */
  deviceWithUuid(uuid: string): NvmlDevice | null {
    const name = 'nvmlDeviceGetHandleByUUID';
    const out = new BigUint64Array(1);
    const status = this.native(name, 'const char *uuid, void *device')(uuid, out);
    if (status === INVALID_ARGUMENT || status === NOT_FOUND) return null;
    this.throwUnlessDone(name, status);
    return out[0] ?? 0n;
  }

  uuid(device: NvmlDevice): string {
    return this.text('nvmlDeviceGetUUID', 'void *device, void *text, uint32_t size', device);
  }

  productName(device: NvmlDevice): string {
    return this.text('nvmlDeviceGetName', 'void *device, void *text, uint32_t size', device);
  }

  memoryBytes(device: NvmlDevice): number | null {
    return number(this.read64('nvmlDeviceGetMemoryInfo', device, 3));
  }

  isEccEnabled(device: NvmlDevice): boolean | null {
    return this.mode('nvmlDeviceGetEccMode', device);
  }

  isMigEnabled(device: NvmlDevice): boolean | null {
    return this.mode('nvmlDeviceGetMigMode', device);
  }

  powerLimitW(device: NvmlDevice): number | null {
    return thousandth(this.read32('nvmlDeviceGetEnforcedPowerLimit', device));
  }

  /** Present power, if the driver reports it. Otherwise the average of the last second. */
  powerNowW(device: NvmlDevice): number | null {
    const field = Buffer.alloc(FIELD_VALUE_BYTES);
    field.writeUInt32LE(FIELD_POWER_INSTANT, 0);
    const parameters = 'void *device, int count, void *values';
    const isAvailable = this.callIfSupported('nvmlDeviceGetFieldValues', parameters, device, 1, field);
    return isAvailable && field.readUInt32LE(28) === 0
      ? thousandth(field.readUInt32LE(32))
      : this.powerW(device);
  }

  /** Power. Newer devices average it over the last second. */
  powerW(device: NvmlDevice): number | null {
    return thousandth(this.read32('nvmlDeviceGetPowerUsage', device));
  }

  /** Clock of the SMs. */
  clockMhz(device: NvmlDevice): number | null {
    return this.read32('nvmlDeviceGetClockInfo', device, CLOCK_SM);
  }

  maxClockMhz(device: NvmlDevice): number | null {
    return this.read32('nvmlDeviceGetMaxClockInfo', device, CLOCK_SM);
  }

  temperatureC(device: NvmlDevice): number | null {
    return this.read32('nvmlDeviceGetTemperature', device, TEMPERATURE_GPU);
  }

  /** Energy used since the driver was loaded, in mJ. The value is updated about every 100 ms. */
  totalEnergyMillijoules(device: NvmlDevice): number | null {
    return number(this.read64('nvmlDeviceGetTotalEnergyConsumption', device, 1));
  }

  throttleReasons(device: NvmlDevice): Conditions['throttleReasons'] {
    const bits = this.read64('nvmlDeviceGetCurrentClocksThrottleReasons', device, 1) ?? 0n;
    const known = THROTTLE_REASONS.filter(([bit]) => (bits & bit) !== 0n);
    const rest = known.reduce((left, [bit]) => left & ~bit, bits);
    // Bits that are not in this list, from newer drivers, are reported by their numbers.
    return [
      ...known.map(([, name]) => name),
      ...Array.from({ length: 64 }, (_, at) => 1n << BigInt(at))
        .filter((bit) => (rest & bit) !== 0n)
        .map((bit) => `unknown-0x${bit.toString(16)}`),
    ].slice(0, MAX_REASONS);
  }

  /** Number of processes that compute on the device, including this one if it does. */
  computeProcesses(device: NvmlDevice): number | null {
    const out = new Uint32Array(1);
    const status = this.native(
      'nvmlDeviceGetComputeRunningProcesses_v3',
      'void *device, void *count, void *list',
    )(device, out, null);
    return status === 0 || status === INSUFFICIENT_SIZE ? (out[0] ?? 0) : null;
  }

  private mode(name: string, device: NvmlDevice): boolean | null {
    const [current, pending] = [new Uint32Array(1), new Uint32Array(1)];
    const isAvailable = this.callIfSupported(
      name,
      'void *device, void *current, void *pending',
      device,
      current,
      pending,
    );
    return isAvailable ? current[0] === 1 : null;
  }

  private read32(name: string, device: NvmlDevice, which?: number): number | null {
    const out = new Uint32Array(1);
    const isAvailable =
      which === undefined
        ? this.callIfSupported(name, 'void *device, void *out', device, out)
        : this.callIfSupported(name, 'void *device, int which, void *out', device, which, out);
    return isAvailable ? (out[0] ?? null) : null;
  }

  /** The first of `length` 64-bit numbers that the function writes. */
  private read64(name: string, device: NvmlDevice, length: number): bigint | null {
    const out = new BigUint64Array(length);
    return this.callIfSupported(name, 'void *device, void *out', device, out) ? (out[0] ?? null) : null;
  }

  private text(name: string, parameters: string, ...args: (number | bigint)[]): string {
    const text = Buffer.alloc(96);
    this.call(name, parameters, ...args, text, text.length);
    return textIn(text);
  }

  private callIfSupported(name: string, parameters: string, ...args: Parameters<NativeCall>): boolean {
    const status = this.native(name, parameters)(...args);
    if (status === NOT_SUPPORTED || status === FUNCTION_NOT_FOUND) return false;
    this.throwUnlessDone(name, status);
    return true;
  }

  private call(name: string, parameters: string, ...args: Parameters<NativeCall>): void {
    this.throwUnlessDone(name, this.native(name, parameters)(...args));
  }

  private throwUnlessDone(name: string, status: number): void {
    if (status === 0) return;
    throw new GpuError('nvml', name, status, `NVML status ${status}`, this.errorString(status));
  }

  private native(name: string, parameters: string): NativeCall {
    let native = this.calls.get(name);
    if (native === undefined) {
      // An older driver has fewer functions. NVML reports that with this status.
      native = this.library.bindIfPresent(`int ${name}(${parameters})`) ?? (() => FUNCTION_NOT_FOUND);
      this.calls.set(name, native);
    }
    return native;
  }
}

function number(value: bigint | null): number | null {
  return value === null ? null : Number(value);
}

function thousandth(value: number | null): number | null {
  return value === null ? null : value / 1000;
}
