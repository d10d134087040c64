import type { Campaign, Page, PageQuery, StateChange } from '@alphaflops/contracts';
import { specKey, type ConvSpec } from '@alphaflops/conv';
import {
  CampaignStore,
  expectUnchanged,
  StoreError,
  type CampaignBefore,
  type CampaignFilter,
  type CampaignPatch,
} from '@alphaflops/store';
import type { Connection } from './connection.js';
import { newestFirst } from './lists.js';

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
      if (inserted === 0) throw new StoreError('already-exists', `There is a campaign ${id} already.`);
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

  /** Throws `StoreError('conflict')` when a position holds another spec. */
  override putSpecs(id: string, offset: number, specs: readonly ConvSpec[]): Promise<void> {
    return this.connection.write(() => {
      // One statement for all: ten thousands of single ones cost more than what they store.
      const inserted = this.connection.run(
        'INSERT INTO campaign_specs (campaign_id, position, doc) SELECT ?, ? + key, value FROM json_each(?) ' +
          'WHERE true ON CONFLICT (campaign_id, position) DO NOTHING',
        [id, offset, JSON.stringify(specs)],
      );
      if (inserted < specs.length) this.expectSame(id, offset, specs);
    });
  }

  override specs(id: string, from: number, to: number): Promise<ConvSpec[]> {
    return this.connection.read(() => this.findSpecs(id, from, to));
  }

  private find(id: string): Campaign | null {
    const found = this.connection.documents('SELECT doc FROM campaigns WHERE id = ?', [id]);
    return (found[0] ?? null) as Campaign | null;
  }

  private findSpecs(id: string, from: number, to: number): ConvSpec[] {
    return this.connection.documents(
      'SELECT doc FROM campaign_specs WHERE campaign_id = ? AND position >= ? AND position < ? ORDER BY position',
      [id, from, to],
    ) as ConvSpec[];
  }

  private expectSame(id: string, offset: number, specs: readonly ConvSpec[]): void {
    const stored = this.findSpecs(id, offset, offset + specs.length);
    for (const [index, spec] of specs.entries()) {
      const there = stored[index];
      const key = there === undefined ? 'nothing' : specKey(there);
      if (key === specKey(spec)) continue;
      throw new StoreError(
        'conflict',
        `Campaign ${id} has ${key} planned at position ${offset + index}, so ${specKey(spec)} cannot be put there.`,
      );
    }
  }
}
