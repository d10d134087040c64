import type { Campaign, NoiseFloor, Revisit, Sample } from '@alphaflops/contracts';
import { noiseFloorOf, unconfirmedVisits } from '@alphaflops/measure';
import { repeatedShapes } from '@alphaflops/planning';
import { type CampaignPatch, SampleStore } from '@alphaflops/store';
import { Injectable } from '@nestjs/common';
import { sampleId } from './samples.js';

/** Further visits of slots, and their reason. */
export interface NextVisits extends Required<Pick<CampaignPatch, 'repeats' | 'plannedSlots'>> {
  readonly reason: string;
}

/** Good samples of one shape by one device, oldest first. */
type Visits = readonly Sample[];

/** A shape that cannot be measured has no second visit. Up to this number of its neighbours are tried instead. */
const TRIED = 4;

/**
 * Shapes that a campaign measures again, later, on the same device: the spread between visits is its noise floor
 * (docs/decisions/0027-repeats.md). The result depends only on stored data, so that it can be repeated after a crash.
 */
@Injectable()
export class Repeats {
  constructor(private readonly samples: SampleStore) {}

  /** The next visits of a campaign whose slots all have samples; null when it needs no more. */
  async next(campaign: Campaign): Promise<NextVisits | null> {
    if (campaign.repeats === undefined) {
      const { chosen, revisits } = await this.secondVisits(campaign, 0, campaign.plannedSpecs);
      return chosen.length === 0 ? null : planned(campaign, chosen, revisits, 'to find the noise floor');
    }
    const revisits = await this.thirdVisits(campaign);
    if (revisits.length === 0) return null;
    return planned(campaign, campaign.repeats.specIndexes, revisits, 'where two visits disagree');
  }

  /**
   * Visits that are added to a further round of a campaign with a target error: second visits of shapes up to
   * `measuredSpecs`, and third visits of earlier shapes. Null if no shape needs another visit.
   */
  async besideRound(campaign: Campaign, measuredSpecs: number): Promise<NextVisits | null> {
    const known = campaign.repeats?.specIndexes ?? [];
    const from = known.length === 0 ? 0 : Math.max(...known) + 1;
    const { chosen, revisits } = await this.secondVisits(campaign, from, measuredSpecs);
    const all = [...revisits, ...(await this.thirdVisits(campaign))];
    if (chosen.length === 0 && all.length === 0) return null;
    const afterRound = campaign.rounds?.ends.length ?? 1;
    const placed = all.map((revisit) => ({ ...revisit, afterRound }));
    return planned(campaign, [...known, ...chosen], placed, 'to find the noise floor');
  }

  /** The spread between visits; null if no shape was visited twice. */
  async noiseFloor(campaign: Campaign): Promise<NoiseFloor | null> {
    const times: number[][] = [];
    for await (const [, visits] of this.visits(campaign)) times.push(visits.map(timeOf));
    return noiseFloorOf(times);
  }

  /** Samples that no other visit of their shape confirms are noisy. Safe to repeat. */
  async markNoisy(campaign: Campaign): Promise<void> {
    for await (const [, visits] of this.visits(campaign)) {
      const out = unconfirmed(visits, campaign);
      if (out.length === 0) continue;
      const times = visits.map((visit) => `${timeOf(visit).toPrecision(4)} ms`).join(', ');
      const reason = `no other visit of ${visits[0]?.deviceId ?? ''} to this shape confirms it: they took ${times}`;
      await this.samples.markNoisy(out, reason);
    }
  }

  /** The number that shapes up to `end` need, minus the shapes that are already visited again; evenly from `start` on. */
  private async secondVisits(
    campaign: Campaign,
    start: number,
    end: number,
  ): Promise<{ chosen: number[]; revisits: Revisit[] }> {
    const { request, repeats } = campaign;
    const count = repeatedShapes(request.repeats, end) - (repeats?.specIndexes.length ?? 0);
    const chosen: number[] = [];
    const single: { specIndex: number; visits: Visits }[] = [];
    for (let cell = 0; cell < count; cell += 1) {
      const from = start + Math.floor((cell * (end - start)) / count);
      const to = Math.min(start + Math.floor(((cell + 1) * (end - start)) / count), from + TRIED);
      for (let specIndex = from; specIndex < to; specIndex += 1) {
        const byDevice = await this.visitsOf(campaign, specIndex);
        if (byDevice.length === 0) continue;
        chosen.push(specIndex);
        if (byDevice.every(({ length }) => length === 1))
          single.push({ specIndex, visits: byDevice[0] ?? [] });
        break;
      }
    }
    return { chosen, revisits: revisitsOf(campaign, request.replicates, single) };
  }

  /** One more visit of each shape whose two visits disagree, unless it has been planned already. */
  private async thirdVisits(campaign: Campaign): Promise<Revisit[]> {
    const third = thirdReplicate(campaign);
    const isPlanned = (specIndex: number): boolean =>
      campaign.repeats?.revisits.some(
        ({ replicate, specIndexes }) => replicate === third && specIndexes.includes(specIndex),
      ) === true;
    const disputed = [];
    for await (const [specIndex, visits] of this.visits(campaign)) {
      if (visits.length !== 2 || isPlanned(specIndex)) continue;
      if (unconfirmed(visits, campaign).length > 0) disputed.push({ specIndex, visits });
    }
    return revisitsOf(campaign, third, disputed);
  }

  /** One entry for each shape that is visited again and each device. */
  private async *visits(campaign: Campaign): AsyncIterable<[specIndex: number, visits: Visits]> {
    for (const specIndex of campaign.repeats?.specIndexes ?? []) {
      for (const visits of await this.visitsOf(campaign, specIndex)) yield [specIndex, visits];
    }
  }

  private async visitsOf(campaign: Campaign, specIndex: number): Promise<Visits[]> {
    const { id, request, targetIds, repeats } = campaign;
    const replicates = Array.from({ length: request.replicates }, (_, replicate) => replicate);
    const again = repeats?.revisits.filter(({ specIndexes }) => specIndexes.includes(specIndex)) ?? [];
    const slots = [...new Set([...replicates, ...again.map(({ replicate }) => replicate)])];
    const byDevice = new Map<string, Sample[]>();
    for (const targetId of targetIds) {
      for (const replicate of slots) {
        const sample = await this.samples.get(sampleId({ campaignId: id, targetId, specIndex, replicate }));
        if (sample?.outcome !== 'ok' || sample.deviceId === null || sample.timing === null) continue;
        const known = byDevice.get(sample.deviceId);
        if (known === undefined) byDevice.set(sample.deviceId, [sample]);
        else known.push(sample);
      }
    }
    return [...byDevice.values()].map((visits) =>
      visits.sort((a, b) => Date.parse(a.startedAt) - Date.parse(b.startedAt)),
    );
  }
}

/** The replicate of third visits follows the replicate of second visits. */
function thirdReplicate({ request }: Campaign): number {
  return request.replicates + 1;
}

/** The same devices again: one revisit per device, or one for all targets if each target is a device. */
function revisitsOf(
  { request }: Campaign,
  replicate: number,
  shapes: readonly { specIndex: number; visits: Visits }[],
): Revisit[] {
  const byDevice = new Map<string | null, Set<number>>();
  for (const { specIndex, visits } of shapes) {
    const deviceId = request.target.kind === 'devices' ? null : (visits[0]?.deviceId ?? null);
    byDevice.set(deviceId, (byDevice.get(deviceId) ?? new Set()).add(specIndex));
  }
  return [...byDevice].map(([deviceId, specIndexes]) => ({
    replicate,
    deviceId,
    specIndexes: [...specIndexes],
  }));
}

function planned(
  { plannedSlots, targetIds, repeats }: Campaign,
  specIndexes: number[],
  revisits: Revisit[],
  why: string,
): NextVisits {
  const shapes = revisits.reduce((sum, revisit) => sum + revisit.specIndexes.length, 0);
  return {
    repeats: { specIndexes, revisits: [...(repeats?.revisits ?? []), ...revisits] },
    plannedSlots: plannedSlots + shapes * targetIds.length,
    reason: `${shapes} shapes are measured again, ${why}`,
  };
}

function unconfirmed(visits: Visits, { protocol }: Campaign): Sample[] {
  return unconfirmedVisits(visits.map(timeOf), protocol).map((at) => visits[at] as Sample);
}

function timeOf({ timing }: Sample): number {
  return timing?.timeMs ?? NaN;
}
