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
import type { Document } from 'mongodb';
import { MAX_TIME_MS } from './address.js';
import type { Connection } from './connection.js';
import { duplicatesIn, isDuplicateKey } from './mongo-error.js';
import { newestFirst } from './pages.js';
import { Records } from './records.js';

interface SpecDocument extends Document {
  /** The campaign id and the position. */
  _id: string;
  spec: ConvSpec;
}

/** Number of specs per query. */
const SPECS_PAGE = 100;
/** Positions are padded to this width, so that their text order is their numeric order. */
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
        throw new StoreError('already-exists', `A campaign ${campaign.id} already exists.`);
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

  override putSpecs(id: string, offset: number, specs: readonly ConvSpec[]): Promise<void> {
    const documents = specs.map((spec, index) => ({ _id: positionId(id, offset + index), spec }));
    return this.connection.attempt(async () => {
      if (documents.length === 0) return;
      try {
        await this.plannedSpecs.insertMany(documents, { ordered: false });
      } catch (error) {
        duplicatesIn(error);
        const stored = await this.findSpecs(id, offset, offset + specs.length);
        for (const [index, spec] of specs.entries()) expectPlanned(id, offset + index, stored[index], spec);
      }
    });
  }

  override specs(id: string, from: number, to: number): Promise<ConvSpec[]> {
    return this.connection.attempt(() => this.findSpecs(id, from, to));
  }

  private async findSpecs(id: string, from: number, to: number): Promise<ConvSpec[]> {
    const end = Math.min(to, LAST_POSITION);
    const specs: ConvSpec[] = [];
    for (let at = from; at < end; at += SPECS_PAGE) {
      const ids = Array.from({ length: Math.min(SPECS_PAGE, end - at) }, (_, i) => positionId(id, at + i));
      const found = await this.plannedSpecs
        .find({ _id: { $in: ids } }, { sort: { _id: 1 }, batchSize: SPECS_PAGE + 1, maxTimeMS: MAX_TIME_MS })
        .toArray();
      specs.push(...found.map(({ spec }) => spec));
      if (found.length < ids.length) break;
    }
    return specs;
  }
}

function positionId(campaignId: string, position: number): string {
  return `${campaignId}/${String(position).padStart(POSITION_DIGITS, '0')}`;
}
