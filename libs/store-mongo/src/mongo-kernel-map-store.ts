import type { KernelMap, Page, PageQuery } from '@alphaflops/contracts';
import { KernelMapStore } from '@alphaflops/store';
import { Binary, type Document } from 'mongodb';
import { MAX_TIME_MS } from './address.js';
import type { Connection } from './connection.js';
import { isDuplicateKey } from './mongo-error.js';
import { newestFirst } from './pages.js';
import { Records } from './records.js';

interface LabelsDocument extends Document {
  /** The id and the digest of the map. */
  _id: string;
  labels: Binary;
}

export class MongoKernelMapStore extends KernelMapStore {
  private readonly maps: Records<KernelMap>;
  private readonly labelDocuments;

  constructor(private readonly connection: Connection) {
    super();
    this.maps = new Records<KernelMap>(connection, 'kernel_maps', ({ createdAt }) => ({
      createdOn: new Date(createdAt),
    }));
    this.labelDocuments = connection.collection<LabelsDocument>('kernel_map_labels');
  }

  /** The labels are stored first, under their digest, so that another process can store the same map at the same time. */
  override put(map: KernelMap, labels: Uint8Array): Promise<KernelMap> {
    return this.connection.attempt(async () => {
      await this.labelDocuments.updateOne(
        { _id: { $eq: keyOf(map) } },
        { $set: { labels: new Binary(labels) } },
        { upsert: true },
      );
      try {
        await this.maps.insert(map.id, map);
        return map;
      } catch (error) {
        if (!isDuplicateKey(error)) throw error;
        return (await this.maps.get(map.id)) ?? map;
      }
    });
  }

  override get(id: string): Promise<KernelMap | null> {
    return this.connection.attempt(() => this.maps.get(id));
  }

  override list(page: PageQuery): Promise<Page<KernelMap>> {
    return this.connection.attempt(() => newestFirst(this.maps, {}, 'newest', page));
  }

  override labels(id: string): Promise<Uint8Array | null> {
    return this.connection.attempt(async () => {
      const map = await this.maps.get(id);
      if (map === null) return null;
      const found = await this.labelDocuments.findOne(
        { _id: { $eq: keyOf(map) } },
        { maxTimeMS: MAX_TIME_MS },
      );
      return found?.labels.buffer ?? null;
    });
  }
}

const keyOf = ({ id, digest }: KernelMap): string => `${id}/${digest}`;
