import type { Campaign, CampaignState, Page, PageQuery, StateChange } from '@alphaflops/contracts';
import { specKey, type ConvSpec } from '@alphaflops/conv';
import { StoreError } from './store-error.js';

/** The fields that may change together with the state. */
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

/** What a change expects: the state, and in some cases also the number of planned slots. */
export type CampaignBefore = CampaignState | Pick<Campaign, 'state' | 'plannedSlots'>;

/**
 * For adapters: checks that the campaign is in the state that a change expects.
 * @throws StoreError `conflict` when it differs
 */
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

/**
 * For adapters: checks that a position holds the spec that a caller writes there.
 * @throws StoreError `conflict` when it holds another spec or nothing
 */
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
  /**
   * Stores a new campaign.
   * @throws StoreError `already-exists` when the id is in use
   */
  abstract create(campaign: Campaign): Promise<void>;

  abstract get(id: string): Promise<Campaign | null>;

  /** Newest first. */
  abstract list(filter: CampaignFilter, page: PageQuery): Promise<Page<Campaign>>;

  /**
   * Changes the state if the stored campaign still matches `from`: appends `change` to the history, applies `patch`,
   * sets `updatedAt = change.at`, and returns the campaign.
   * @throws StoreError `conflict` when the stored state differs from `from`; `not-found` when the campaign does not
   * exist
   */
  abstract transition(
    id: string,
    from: CampaignBefore,
    change: StateChange,
    patch?: CampaignPatch,
  ): Promise<Campaign>;

  /**
   * Stores planned specs at positions `offset…offset + specs.length − 1`. Writing the same spec to a position again
   * changes nothing, so that planning can be repeated after a crash.
   * @throws StoreError `conflict` when a position holds another spec; that spec is kept
   */
  abstract putSpecs(id: string, offset: number, specs: readonly ConvSpec[]): Promise<void>;

  /** Returns the planned specs at positions `from ≤ i < to`, in order. Returns fewer when the plan is shorter. */
  abstract specs(id: string, from: number, to: number): Promise<ConvSpec[]>;
}
