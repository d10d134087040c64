import type { Campaign, Page, PageQuery, StateChange } from '@alphaflops/contracts';
import type { ConvSpec } from '@alphaflops/conv';
import {
  CampaignStore,
  expectPlanned,
  expectUnchanged,
  StoreError,
  type CampaignBefore,
  type CampaignFilter,
  type CampaignPatch,
} from '@alphaflops/store';
import type { Connection } from './connection.js';
import { newestFirst } from './lists.js';

/** Maximum number of specs in one row. Existing files have pages of this size, so it cannot become larger. */
const SPECS_PAGE = 100;

export class SqliteCampaignStore extends CampaignStore {
  constructor(private readonly connection: Connection) {
    super();
  }

  override create(campaign: Campaign): Promise<void> {
    const { id, state, deviceClassId, createdAt } = campaign;
    return this.connection.write(() => {
      const inserted = this.connection.run(
        'INSERT INTO campaigns (id, state, device_class_id, created_at, doc) VALUES (?, ?, ?, ?, ?) ' +
          'ON CONFLICT (id) DO NOTHING',
        [id, state, deviceClassId, Date.parse(createdAt), JSON.stringify(campaign)],
      );
      if (inserted === 0) throw new StoreError('already-exists', `A campaign ${id} already exists.`);
    });
  }

  override get(id: string): Promise<Campaign | null> {
    return this.connection.read(() => this.find(id));
  }

  override list(filter: CampaignFilter, page: PageQuery): Promise<Page<Campaign>> {
    const columns = { state: filter.state, device_class_id: filter.deviceClassId };
    return this.connection.read(() => newestFirst<Campaign>(this.connection, 'campaigns', columns, page));
  }

  override transition(
    id: string,
    from: CampaignBefore,
    change: StateChange,
    patch: CampaignPatch = {},
  ): Promise<Campaign> {
    return this.connection.write(() => {
      const before = this.find(id);
      if (before === null) throw new StoreError('not-found', `There is no campaign ${id}.`);
      expectUnchanged(before, from);
      const after: Campaign = {
        ...before,
        ...patch,
        state: change.state,
        history: [...before.history, change],
        updatedAt: change.at,
      };
      this.connection.run('UPDATE campaigns SET state = ?, doc = ? WHERE id = ?', [
        after.state,
        JSON.stringify(after),
        id,
      ]);
      return after;
    });
  }

  override putSpecs(id: string, offset: number, specs: readonly ConvSpec[]): Promise<void> {
    return this.connection.write(() => {
      const stored = this.findSpecs(id, offset, offset + specs.length);
      for (let at = 0; at < specs.length;) {
        const there = stored.get(offset + at);
        if (there !== undefined) {
          expectPlanned(id, offset + at, there, specs[at] as ConvSpec);
          at += 1;
          continue;
        }
        let end = at + 1;
        while (end < specs.length && end - at < SPECS_PAGE && !stored.has(offset + end)) end += 1;
        this.connection.run('INSERT INTO spec_pages (campaign_id, position, doc) VALUES (?, ?, ?)', [
          id,
          offset + at,
          JSON.stringify(specs.slice(at, end)),
        ]);
        at = end;
      }
    });
  }

  override specs(id: string, from: number, to: number): Promise<ConvSpec[]> {
    return this.connection.read(() => [...this.findSpecs(id, from, to).values()]);
  }

  private find(id: string): Campaign | null {
    const found = this.connection.documents('SELECT doc FROM campaigns WHERE id = ?', [id]);
    return (found[0] ?? null) as Campaign | null;
  }

  /** Returns specs with their positions, in order. */
  private findSpecs(id: string, from: number, to: number): Map<number, ConvSpec> {
    const found = new Map<number, ConvSpec>();
    const pages = this.connection.rows(
      'SELECT position, doc FROM spec_pages WHERE campaign_id = ? AND position > ? AND position < ? ORDER BY position',
      [id, from - SPECS_PAGE, to],
    );
    for (const [position, doc] of pages) {
      for (const [index, spec] of (this.connection.parse(doc) as ConvSpec[]).entries()) {
        const at = Number(position) + index;
        if (at >= from && at < to) found.set(at, spec);
      }
    }
    return found;
  }
}
