import type { Device, PageQuery } from '@alphaflops/contracts';
import { encodeCursor } from '../paging.js';
import type { Stores } from '../store.js';
import { buildDevice, buildDeviceClass, buildProvenance, buildWorker, timeAt } from './builders.js';
import { collectPages, expectBadCursorsRefused, HOSTILE_STRINGS, nearMisses, unreadable } from './collect.js';

const provenance = buildProvenance();
const PROVENANCE = new Map([[provenance.id, provenance.record]]);

function byId(a: { id: string }, b: { id: string }): number {
  return a.id < b.id ? -1 : 1;
}

export function describeFleetStore(stores: () => Stores): void {
  const fleet = () => stores().fleet;
  const enrol = (...devices: Device[]) => {
    const worker = buildWorker({ deviceIds: devices.map((d) => d.id) });
    return fleet()
      .putWorker(worker, devices, [], PROVENANCE)
      .then(() => worker);
  };

  describe('fleet', () => {
    it('accepts a device class without devices, and does not change an existing one', async () => {
      const deviceClass = buildDeviceClass();
      await fleet().addDeviceClass(deviceClass);
      await fleet().addDeviceClass({ ...deviceClass, sku: 'another' });
      expect(await fleet().deviceClass(deviceClass.id)).toEqual(deviceClass);
    });

    it('stores a worker with its devices, classes and provenance', async () => {
      const deviceClass = buildDeviceClass();
      const devices = [1, 2].map(() => buildDevice({ deviceClassId: deviceClass.id }));
      const worker = buildWorker({ deviceIds: devices.map((d) => d.id) });
      await fleet().putWorker(worker, devices, [deviceClass], PROVENANCE);
      expect(await fleet().worker(worker.id)).toEqual(worker);
      for (const device of devices) expect(await fleet().device(device.id)).toEqual(device);
      expect(await fleet().deviceClass(deviceClass.id)).toEqual(deviceClass);
      expect(await stores().samples.provenance(provenance.id)).toEqual(provenance.record);
      for (const id of [...HOSTILE_STRINGS, ...nearMisses(worker.id)]) {
        expect(await fleet().worker(id)).toBeNull();
        expect(await fleet().device(id)).toBeNull();
        expect(await fleet().deviceClass(id)).toBeNull();
      }
    });

    it('replaces existing records', async () => {
      const deviceClass = buildDeviceClass();
      const device = buildDevice({ deviceClassId: deviceClass.id });
      const worker = buildWorker({ deviceIds: [device.id] });
      await fleet().putWorker(worker, [device], [deviceClass], PROVENANCE);
      const moved = { ...device, deviceClassId: 'class-b', updatedAt: timeAt(5) };
      const renamed = { ...worker, name: 'renamed', labels: {} };
      await fleet().putWorker(renamed, [moved], [{ ...deviceClass, smCount: 132 }], PROVENANCE);
      expect(await fleet().worker(worker.id)).toEqual(renamed);
      expect(await fleet().deviceClass(deviceClass.id)).toEqual({ ...deviceClass, smCount: 132 });
      expect((await fleet().devices({ deviceClassId: 'class-b' }, { limit: 5 })).items).toEqual([moved]);
      expect((await fleet().devices({ deviceClassId: deviceClass.id }, { limit: 5 })).items).toEqual([]);
      expect((await fleet().workers({ limit: 5 })).items).toHaveLength(1);
    });

    it('keeps the operator’s command when a worker is stored again', async () => {
      const worker = await enrol();
      const order = { desiredState: 'paused', stateReason: 'maintenance' } as const;
      await fleet().patchWorker(worker.id, order);
      const again = { ...worker, name: 'renamed', stateReason: 'old reason' };
      expect(await fleet().putWorker(again, [], [], PROVENANCE)).toEqual({ ...again, ...order });
      expect(await fleet().worker(worker.id)).toEqual({ ...again, ...order });
    });

    it('keeps a command that arrives while a worker is stored again', async () => {
      const worker = await enrol();
      for (let round = 1; round <= 10; round++) {
        const stateReason = `round ${round}`;
        await Promise.all([
          fleet().putWorker({ ...worker, name: stateReason }, [], [], PROVENANCE),
          fleet().patchWorker(worker.id, { stateReason }),
        ]);
        expect(await fleet().worker(worker.id)).toMatchObject({ name: stateReason, stateReason });
      }
    });

    it('stores a worker with all its records or stores nothing', async () => {
      const deviceClass = buildDeviceClass();
      const device = buildDevice();
      const worker = buildWorker();
      const broken = unreadable(buildDevice(), 'sku');
      await expect(fleet().putWorker(worker, [device, broken], [deviceClass], PROVENANCE)).rejects.toThrow();
      expect(await fleet().worker(worker.id)).toBeNull();
      expect(await fleet().device(device.id)).toBeNull();
      expect(await fleet().deviceClass(deviceClass.id)).toBeNull();
      expect(await stores().samples.provenance(provenance.id)).toBeNull();
    });

    it('changes only the named fields of a worker', async () => {
      const worker = await enrol();
      const beat = { lastHeartbeatAt: timeAt(10_000), activity: 'measuring' } as const;
      expect(await fleet().patchWorker(worker.id, beat)).toEqual({ ...worker, ...beat });
      const command = { desiredState: 'paused', stateReason: 'maintenance', labels: { room: 'C' } } as const;
      await fleet().patchWorker(worker.id, command);
      expect(await fleet().worker(worker.id)).toEqual({ ...worker, ...beat, ...command });
      await fleet().patchWorker(worker.id, { stateReason: null });
      expect((await fleet().worker(worker.id))?.stateReason).toBeNull();
      for (const id of ['worker-nowhere', ...HOSTILE_STRINGS]) {
        await expect(fleet().patchWorker(id, beat)).rejects.toMatchObject({ code: 'not-found' });
      }
    });

    it('keeps both a heartbeat and a command that arrive at the same time', async () => {
      const worker = await enrol();
      for (let round = 1; round <= 10; round++) {
        const lastHeartbeatAt = timeAt(round);
        const stateReason = `round ${round}`;
        await Promise.all([
          fleet().patchWorker(worker.id, { lastHeartbeatAt }),
          fleet().patchWorker(worker.id, { stateReason }),
        ]);
        expect(await fleet().worker(worker.id)).toEqual({ ...worker, lastHeartbeatAt, stateReason });
      }
    });

    it('pages through workers, devices and classes without a gap or a repetition', async () => {
      const classes = Array.from({ length: 7 }, () => buildDeviceClass());
      const devices = Array.from({ length: 7 }, () => buildDevice());
      const workers = Array.from({ length: 7 }, () => buildWorker());
      for (const [i, worker] of workers.entries()) {
        await fleet().putWorker(worker, devices.slice(i, i + 1), classes.slice(i, i + 1), PROVENANCE);
      }
      const lists = [
        { list: (page: PageQuery) => fleet().workers(page), expected: workers },
        { list: (page: PageQuery) => fleet().devices({}, page), expected: devices },
        { list: (page: PageQuery) => fleet().deviceClasses(page), expected: classes },
      ];
      for (const { list, expected } of lists) {
        const found = await collectPages<{ id: string }>(list, 3);
        expect(found.toSorted(byId)).toEqual(expected.toSorted(byId));
        expect(await collectPages<{ id: string }>(list, 7)).toEqual(found);
        await expectBadCursorsRefused<unknown>(list, encodeCursor('elsewhere', 'worker-a'));
      }
    });

    it('filters devices by class', async () => {
      const devices = ['class-a', 'class-b', 'class-a', 'class-a'].map((deviceClassId) =>
        buildDevice({ deviceClassId }),
      );
      await enrol(...devices);
      const found = await collectPages((page) => fleet().devices({ deviceClassId: 'class-a' }, page), 2);
      expect(found.toSorted(byId)).toEqual(
        devices.filter((d) => d.deviceClassId === 'class-a').toSorted(byId),
      );
      for (const deviceClassId of ['class-nowhere', ...HOSTILE_STRINGS]) {
        expect((await fleet().devices({ deviceClassId }, { limit: 5 })).items).toEqual([]);
      }
    });
  });
}
