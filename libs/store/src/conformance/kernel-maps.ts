import { createHash, randomUUID } from 'node:crypto';
import { type KernelMap, kernelMapId, KernelMapSchema } from '@alphaflops/contracts';
import type { KernelMapStore } from '../kernel-map-store.js';
import { encodeCursor } from '../paging.js';
import { timeAt } from './builders.js';
import { collectPages, expectBadCursorsRefused, HOSTILE_STRINGS, nearMisses } from './collect.js';

let built = 0;

export function buildKernelMap(overrides: Partial<KernelMap> = {}): KernelMap {
  const key = {
    ...{ cudnnVersion: `9.19.${built++}`, computeCapability: '9.0' },
    ...({ heuristicMode: 'instant', mathMode: 'tf32' } as const),
  };
  return KernelMapSchema.parse({
    id: kernelMapId(key),
    ...key,
    shapes: 50_000,
    kernels: 300,
    digest: createHash('sha256').update(randomUUID()).digest('hex'),
    workerId: 'worker-a',
    createdAt: timeAt(0),
    ...overrides,
  });
}

export function describeKernelMapStore(maps: () => KernelMapStore): void {
  const labels = Uint8Array.from({ length: 70_000 }, (_, i) => i * 31);

  describe('kernel maps', () => {
    it('are returned with their labels', async () => {
      const map = buildKernelMap();
      expect(await maps().get(map.id)).toBeNull();
      expect(await maps().labels(map.id)).toBeNull();
      expect(await maps().put(map, labels)).toEqual(map);
      expect(await maps().get(map.id)).toEqual(map);
      const found = await maps().labels(map.id);
      expect(Buffer.from(found ?? []).equals(Buffer.from(labels))).toBe(true);
      for (const text of [...HOSTILE_STRINGS, ...nearMisses(map.id)]) {
        expect(await maps().get(text)).toBeNull();
        expect(await maps().labels(text)).toBeNull();
      }
    });

    it('never change: the first map with an id stays', async () => {
      const map = buildKernelMap();
      await maps().put(map, labels);
      const other = buildKernelMap({ id: map.id, shapes: 3 });
      expect(await maps().put(other, Uint8Array.of(1))).toEqual(map);
      expect(await maps().get(map.id)).toEqual(map);
      expect((await maps().labels(map.id))?.length).toBe(labels.length);
    });

    it('are listed page by page, newest first', async () => {
      const all = Array.from({ length: 5 }, (_, i) => buildKernelMap({ createdAt: timeAt(i) }));
      for (const map of all) await maps().put(map, labels);
      const listed = await collectPages((page) => maps().list(page), 2);
      expect(listed).toEqual(all.toReversed());
      await expectBadCursorsRefused((page) => maps().list(page), encodeCursor('models', all[0]?.id ?? ''));
    });
  });
}
