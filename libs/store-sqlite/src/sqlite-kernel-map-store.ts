import type { KernelMap, Page, PageQuery } from '@alphaflops/contracts';
import { KernelMapStore } from '@alphaflops/store';
import type { Connection } from './connection.js';
import { newestFirst } from './lists.js';

export class SqliteKernelMapStore extends KernelMapStore {
  constructor(private readonly connection: Connection) {
    super();
  }

  override put(map: KernelMap, labels: Uint8Array): Promise<KernelMap> {
    return this.connection.write(() => {
      this.connection.run(
        'INSERT INTO kernel_maps (id, created_at, doc, labels) VALUES (?, ?, ?, ?) ON CONFLICT (id) DO NOTHING',
        [map.id, Date.parse(map.createdAt), JSON.stringify(map), labels],
      );
      return this.find(map.id) ?? map;
    });
  }

  override get(id: string): Promise<KernelMap | null> {
    return this.connection.read(() => this.find(id));
  }

  override list(page: PageQuery): Promise<Page<KernelMap>> {
    return this.connection.read(() => newestFirst<KernelMap>(this.connection, 'kernel_maps', {}, page));
  }

  override labels(id: string): Promise<Uint8Array | null> {
    return this.connection.read(() => {
      const [found] = this.connection.rows('SELECT labels FROM kernel_maps WHERE id = ?', [id]);
      return found?.[0] instanceof Uint8Array ? found[0] : null;
    });
  }

  private find(id: string): KernelMap | null {
    const sql = 'SELECT doc FROM kernel_maps WHERE id = ?';
    const [found] = this.connection.documents(sql, [id]) as KernelMap[];
    return found ?? null;
  }
}
