import type { Conditions, DeviceDescription } from '@alphaflops/contracts';
import { createExecutor, fakeGpuUuid } from '@alphaflops/executor/testing';
import { describeDevice } from '@alphaflops/executor';
import { idlePowerW, withIdlePower } from './idle-power.js';
import { Log } from './log.js';

const never = new AbortController().signal;
const at = (changes: Partial<Conditions>): Conditions => ({
  smClockMhz: null,
  maxSmClockMhz: null,
  temperatureC: null,
  powerW: null,
  throttleReasons: [],
  otherProcesses: null,
  hostLoad1: null,
  ...changes,
});

/** A device that returns these readings and then repeats the last one, with the waited milliseconds. */
function reading(...conditions: Partial<Conditions>[]) {
  let readings = 0;
  let waitedMs = 0;
  const device = {
    readConditions: () => Promise.resolve(at(conditions[Math.min(readings++, conditions.length - 1)] ?? {})),
  };
  const wait = (ms: number) => {
    waitedMs += ms;
    return Promise.resolve();
  };
  return { device, wait, waitedMs: () => waitedMs };
}

describe('idle power', () => {
  it('is the lowest reading of three seconds', async () => {
    const { device, wait, waitedMs } = reading(
      { powerW: 130 },
      { powerW: 91 },
      { powerW: 68, otherProcesses: 0 },
      { powerW: 71 },
    );
    expect(await idlePowerW(device, wait, never)).toBe(68);
    expect(waitedMs()).toBe(3_000);
  });

  it('is unknown if power cannot be read, and then costs nothing', async () => {
    const { device, wait, waitedMs } = reading({});
    expect(await idlePowerW(device, wait, never)).toBeNull();
    expect(waitedMs()).toBe(0);
  });

  it('is unknown while other processes compute on the device, or when the worker leaves', async () => {
    const shared = reading({ powerW: 68 }, { powerW: 500, otherProcesses: 1 });
    expect(await idlePowerW(shared.device, shared.wait, never)).toBeNull();
    const quiet = reading({ powerW: 68 });
    expect(await idlePowerW(quiet.device, quiet.wait, AbortSignal.abort())).toBeNull();
  });

  it('is kept in the provenance of GPUs, read once for each', async () => {
    const worker = { version: '1', commit: null, dirty: null };
    const found: DeviceDescription[] = [];
    for (const name of ['fake', 'fake-gpu']) {
      const probed = await createExecutor(name).probe();
      if (probed.ok) found.push(...probed.devices.map((device) => describeDevice(device, worker)));
    }
    const requested: string[] = [];
    const lines: string[] = [];
    const devices = [...found, ...found].map((description) => ({
      description,
      host: {
        idlePowerW: null as number | null,
        readConditions: () => {
          if (!requested.includes(description.uuid)) requested.push(description.uuid);
          return description.uuid === fakeGpuUuid(1)
            ? Promise.reject(new Error('the driver is gone'))
            : Promise.resolve(at({ powerW: 60 }));
        },
      },
    }));
    const log = new Log({ level: 'log', json: false }, (line) => lines.push(line));
    const described = await withIdlePower(devices, { wait: () => Promise.resolve(), log, signal: never });
    expect(requested).toEqual([fakeGpuUuid(0), fakeGpuUuid(1)]);
    expect(described.map(({ provenance }) => provenance.device['idlePowerW'])).toEqual([
      undefined,
      undefined,
      60,
      null,
      undefined,
      undefined,
      60,
      null,
    ]);
    expect(lines).toEqual([
      expect.stringContaining(`idle power of ${fakeGpuUuid(1)} is not known: the driver is gone`),
    ]);
  });
});
