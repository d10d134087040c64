import type { Campaign, CampaignState, Page, PageQuery, StateChange } from '@alphaflops/contracts';
import { specKey, type ConvSpec } from '@alphaflops/conv';
import { StoreError } from './store-error.js';

/** What may change with a change of state. */
export type CampaignPatch = Partial<
  Pick<
    Campaign,
    | 'plannedSpecs'
    | 'plannedSlots'
    | 'rounds'
    | 'repeats'
    | 'noiseFloor'
    | 'learning'
    | 'stop'
    | 'excluded'
    | 'modelId'
    | 'targetIds'
    | 'batchSize'
  >
>;

/** What a change starts from: the state, and where it matters how much was planned then. */
export type CampaignBefore = CampaignState | Pick<Campaign, 'state' | 'plannedSlots'>;

/** For adapters: throws `StoreError('conflict')` when the campaign is not as a change expects it. */
export function expectUnchanged(campaign: Campaign, from: CampaignBefore): void {
  const { state, plannedSlots = campaign.plannedSlots } = typeof from === 'string' ? { state: from } : from;
  if (campaign.state !== state) {
    throw new StoreError('conflict', `Campaign ${campaign.id} is ${campaign.state} now, no longer ${state}.`);
  }
  if (campaign.plannedSlots !== plannedSlots) {
    throw new StoreError(
      'conflict',
      `Campaign ${campaign.id} has ${campaign.plannedSlots} slots planned now, no longer ${plannedSlots}.`,
    );
  }
}

/** For adapters: throws `StoreError('conflict')` when a position does not hold the spec that is to be put there. */
export function expectPlanned(
  campaignId: string,
  position: number,
  there: ConvSpec | undefined,
  spec: ConvSpec,
): void {
  const planned = there === undefined ? 'nothing' : specKey(there);
  const key = specKey(spec);
  if (planned === key) return;
  throw new StoreError(
    'conflict',
    `Campaign ${campaignId} has ${planned} planned at position ${position}, so ${key} cannot be put there.`,
  );
}

export interface CampaignFilter {
  state?: CampaignState | undefined;
  deviceClassId?: string | undefined;
}

/** Campaigns and their planned specs. */
export abstract class CampaignStore {
  /** Stores a new campaign. Throws `StoreError('already-exists')` when the id is taken. */
  abstract create(campaign: Campaign): Promise<void>;

  abstract get(id: string): Promise<Campaign | null>;

  /** Newest first. */
  abstract list(filter: CampaignFilter, page: PageQuery): Promise<Page<Campaign>>;

  /**
   * Changes the state if the campaign still is as `from` says, appends `change` to the history, applies `patch`, sets
   * `updatedAt = change.at`, and returns the campaign. Throws `StoreError('conflict')` when it is otherwise now,
   * `StoreError('not-found')` when there is no such campaign.
   */
  abstract transition(
    id: string,
    from: CampaignBefore,
    change: StateChange,
    patch?: CampaignPatch,
  ): Promise<Campaign>;

  /**
   * Stores planned specs as positions `offset…offset + specs.length − 1`. Writing a position again with the same
   * spec changes nothing, so that planning can be repeated after a crash. Throws `StoreError('conflict')` when a
   * position holds another spec, which stays.
   */
  abstract putSpecs(id: string, offset: number, specs: readonly ConvSpec[]): Promise<void>;

  /** Planned specs at positions `from ≤ i < to`, in order; fewer when the plan is shorter. */
  abstract specs(id: string, from: number, to: number): Promise<ConvSpec[]>;
}
