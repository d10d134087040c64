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
import type { Document } from 'mongodb';
import type { Connection } from './connection.js';
import { duplicatesIn, isDuplicateKey } from './mongo-error.js';
import { documentsAfterId, newestFirst } from './pages.js';
import { Records } from './records.js';

interface SpecDocument extends Document {
  /** Campaign and position. */
  _id: string;
  spec: ConvSpec;
}

/** Widens positions, so that their order as text is their order as numbers. */
const POSITION_DIGITS = 10;
const LAST_POSITION = 10 ** POSITION_DIGITS - 1;

export class MongoCampaignStore extends CampaignStore {
  private readonly campaigns: Records<Campaign>;
  private readonly plannedSpecs;

  constructor(private readonly connection: Connection) {
    super();
    this.campaigns = new Records<Campaign>(connection, 'campaigns', (campaign) => ({
      state: campaign.state,
      deviceClassId: campaign.deviceClassId,
      createdOn: new Date(campaign.createdAt),
    }));
    this.plannedSpecs = connection.collection<SpecDocument>('campaign_specs');
  }

  override create(campaign: Campaign): Promise<void> {
    return this.connection.attempt(async () => {
      try {
        await this.campaigns.insert(campaign.id, campaign);
      } catch (error) {
        if (!isDuplicateKey(error)) throw error;
        throw new StoreError('already-exists', `There is a campaign ${campaign.id} already.`);
      }
    });
  }

  override get(id: string): Promise<Campaign | null> {
    return this.connection.attempt(() => this.campaigns.get(id));
  }

  override list({ state, deviceClassId }: CampaignFilter, page: PageQuery): Promise<Page<Campaign>> {
    const index = deviceClassId === undefined ? (state === undefined ? 'newest' : 'by_state') : 'by_class';
    return this.connection.attempt(() => newestFirst(this.campaigns, { state, deviceClassId }, index, page));
  }

  override transition(
    id: string,
    from: CampaignBefore,
    change: StateChange,
    patch: CampaignPatch = {},
  ): Promise<Campaign> {
    return this.connection.attempt(async () => {
      const after = await this.campaigns.change(id, (before) => {
        expectUnchanged(before, from);
        return {
          ...before,
          ...patch,
          state: change.state,
          history: [...before.history, change],
          updatedAt: change.at,
        };
      });
      if (after === null) throw new StoreError('not-found', `There is no campaign ${id}.`);
      return after;
    });
  }

  /** Throws `StoreError('conflict')` when a position holds another spec. */
  override putSpecs(id: string, offset: number, specs: readonly ConvSpec[]): Promise<void> {
    const documents = specs.map((spec, index) => ({ _id: positionId(id, offset + index), spec }));
    return this.connection.attempt(async () => {
      if (documents.length === 0) return;
      try {
        await this.plannedSpecs.insertMany(documents, { ordered: false });
      } catch (error) {
        duplicatesIn(error);
        await this.expectSame(id, offset, specs);
      }
    });
  }

  override specs(id: string, from: number, to: number): Promise<ConvSpec[]> {
    return this.connection.attempt(() => this.findSpecs(id, from, to));
  }

  private async findSpecs(id: string, from: number, to: number): Promise<ConvSpec[]> {
    const count = Math.min(to, LAST_POSITION) - from;
    if (count <= 0) return [];
    const found = await documentsAfterId(
      this.plannedSpecs,
      {},
      // The end of the position before: nothing comes between it and the next one.
      from === 0 ? `${id}/` : positionId(id, from - 1),
      count,
      positionId(id, from + count),
    );
    return found.map(({ spec }) => spec);
  }

  private async expectSame(id: string, offset: number, specs: readonly ConvSpec[]): Promise<void> {
    const stored = await this.findSpecs(id, offset, offset + specs.length);
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

function positionId(campaignId: string, position: number): string {
  return `${campaignId}/${String(position).padStart(POSITION_DIGITS, '0')}`;
}
