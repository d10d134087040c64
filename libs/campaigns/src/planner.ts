import { randomBytes } from 'node:crypto';
import type {
  Campaign,
  CampaignRequest,
  CampaignRounds,
  Design,
  DeviceClass,
  Protocol,
} from '@alphaflops/contracts';
import type { ConvSpec } from '@alphaflops/conv';
import { DatasetError, readSpecs } from '@alphaflops/dataset';
import { ApiProblem, notFound } from '@alphaflops/http';
import { defaultProtocol, MeasureError, protocolNamed, withEnergy } from '@alphaflops/measure';
import { compileModel } from '@alphaflops/models';
import {
  coveringFirst,
  firstAdaptiveRound,
  firstTargetRounds,
  limitsOf,
  type Plan,
  plan,
  PlanError,
  planFirstRound,
  type PlanRequest,
} from '@alphaflops/planning';
import { FleetStore, ModelStore } from '@alphaflops/store';
import { Injectable } from '@nestjs/common';
import { BatchSizer } from './batch-sizer.js';

/** The seed of a list, which has no seed. */
const LIST_SEED = 1;

export interface PlannedCampaign {
  campaign: Campaign;
  /** The specs to store: more than `plannedSpecs` if later rounds are already chosen. */
  specs: readonly ConvSpec[];
}

/** Makes a campaign with its specs from a request; nothing is stored. */
@Injectable()
export class Planner {
  constructor(
    private readonly fleet: FleetStore,
    private readonly models: ModelStore,
    private readonly batches: BatchSizer,
  ) {}

  /** @throws ApiProblem that names the wrong field */
  async plan(request: CampaignRequest): Promise<PlannedCampaign> {
    const { deviceClass, targetIds } = await this.target(request);
    const protocol = protocolFor(request, deviceClass);
    const { specs, excluded, rounds } = await this.specs(request, deviceClass);
    const plannedSpecs = rounds?.ends.at(-1) ?? specs.length;
    const expectedMs = await this.expectation(deviceClass.id);
    const { replicates } = request;
    const work = { deviceClass, targetIds, protocol, specs, replicates, expectedMs };
    const batchSize = await this.batches.sizeFor(work);
    const now = new Date().toISOString();
    return {
      specs,
      campaign: {
        id: `c-${now.slice(0, 10).replaceAll('-', '')}-${randomBytes(4).toString('hex')}`,
        name: request.name,
        state: 'draft',
        history: [{ state: 'draft', at: now, reason: 'created' }],
        // The list of a csv design is stored as planned specs. A second copy would double the size of a large campaign.
        request:
          request.design.name === 'csv' ? { ...request, design: { name: 'csv', csv: '(planned)' } } : request,
        deviceClassId: deviceClass.id,
        targetIds,
        protocol,
        batchSize,
        plannedSpecs,
        plannedSlots: plannedSpecs * request.replicates * targetIds.length,
        ...(rounds && { rounds }),
        excluded,
        modelId: null,
        createdAt: now,
        updatedAt: now,
      },
    };
  }

  /** Milliseconds of a convolution by the served model of the device class; null without one. */
  async expectation(deviceClassId: string): Promise<((spec: ConvSpec) => number) | null> {
    const model = await this.models.served(deviceClassId);
    if (model === null) return null;
    const predict = compileModel(model);
    return (spec) => predict(spec).predictedMs;
  }

  private async target({
    target,
  }: CampaignRequest): Promise<{ deviceClass: DeviceClass; targetIds: string[] }> {
    if (target.kind === 'device-class') {
      const deviceClass = await this.fleet.deviceClass(target.deviceClassId);
      if (deviceClass === null) throw notFound('device class', target.deviceClassId);
      return { deviceClass, targetIds: [deviceClass.id] };
    }
    const targetIds = [...new Set(target.deviceIds)];
    const classIds = new Set<string>();
    for (const id of targetIds) {
      const device = await this.fleet.device(id);
      if (device === null) throw notFound('device', id);
      classIds.add(device.deviceClassId);
    }
    const [classId, ...others] = classIds;
    if (others.length > 0) {
      throw wrong('target.deviceIds', `the devices are of different classes: ${[...classIds].join(', ')}`);
    }
    const deviceClass = await this.fleet.deviceClass(classId ?? '');
    if (deviceClass === null) throw notFound('device class', classId ?? '');
    return { deviceClass, targetIds };
  }

  private async specs(
    request: CampaignRequest,
    deviceClass: DeviceClass,
  ): Promise<Plan & { rounds?: CampaignRounds }> {
    const { design, budget } = request;
    try {
      const planRequest: PlanRequest = {
        ...limitsOf(request, deviceClass),
        ...(budget.maxSpecMs !== undefined && { estimateMs: await this.estimate(deviceClass.id) }),
      };
      const hasTarget = budget.targetError !== undefined;
      if (design.name === 'adaptive') {
        return hasTarget ? adaptiveInTargetRounds(design, planRequest) : planFirstRound(design, planRequest);
      }
      const planned = plan(
        design.name === 'csv' ? { name: 'csv', specs: await specsOf(design.csv) } : design,
        planRequest,
      );
      return hasTarget ? inTargetRounds(design, planned) : planned;
    } catch (error) {
      if (error instanceof DatasetError) throw wrong('design.csv', error.message);
      if (error instanceof PlanError) throw wrong('design', error.message);
      throw error;
    }
  }

  /** A time cap is judged by the served model of the device class. */
  private async estimate(deviceClassId: string): Promise<(spec: ConvSpec) => number> {
    const expected = await this.expectation(deviceClassId);
    if (expected === null) {
      throw wrong(
        'budget.maxSpecMs',
        `${deviceClassId} has no model yet that could tell times; use constraints.maxMacs`,
      );
    }
    return expected;
  }
}

/** All specs are chosen at the start, and measured in rounds until the model is good enough. */
function inTargetRounds({ name }: Design, { specs, excluded }: Plan): Plan & { rounds: CampaignRounds } {
  const ordered = name === 'csv' ? coveringFirst(specs, LIST_SEED) : specs;
  const rounds = { testSpecs: 0, ends: firstTargetRounds(specs.length), storedSpecs: specs.length };
  return { specs: ordered, excluded, rounds };
}

function adaptiveInTargetRounds(
  design: Extract<Design, { name: 'adaptive' }>,
  request: PlanRequest,
): Plan & { rounds: CampaignRounds } {
  const { specs, excluded, rounds } = planFirstRound(design, request, firstAdaptiveRound(request.specs));
  const { testSpecs } = rounds;
  const ends = firstTargetRounds(specs.length - testSpecs).map((end) => testSpecs + end);
  return { specs, excluded, rounds: { testSpecs, ends } };
}

function protocolFor(request: CampaignRequest, deviceClass: DeviceClass): Protocol {
  const protocol = registeredProtocol(request, deviceClass);
  return request.energy === true ? withEnergy(protocol) : protocol;
}

function registeredProtocol(request: CampaignRequest, deviceClass: DeviceClass): Protocol {
  if (request.protocol === undefined) return defaultProtocol(deviceClass.kind);
  try {
    return protocolNamed(request.protocol);
  } catch (error) {
    if (error instanceof MeasureError) throw wrong('protocol', error.message);
    throw error;
  }
}

async function specsOf(csv: string): Promise<ConvSpec[]> {
  const specs: ConvSpec[] = [];
  for await (const row of readSpecs(csv, 'csv')) specs.push(row.spec);
  return specs;
}

function wrong(path: string, message: string): ApiProblem {
  return new ApiProblem(400, 'invalid-request', `${path}: ${message}`, [{ path, message }]);
}
