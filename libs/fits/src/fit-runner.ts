import { type DeviceClass, type FitJob, type Model, type NoiseFloor, VERSION } from '@alphaflops/contracts';
import { judgeCandidate } from '@alphaflops/models';
import { GiveUp } from '@alphaflops/queue';
import { CampaignStore, FleetStore, ModelStore } from '@alphaflops/store';
import { Injectable, Logger } from '@nestjs/common';
import { ClassKernels } from './class-kernels.js';
import { FitInputs } from './fit-input.js';
import { FitThreads } from './fit-threads.js';

/** Number of the newest campaigns in the search for a noise floor. */
const CAMPAIGNS = 20;

/** Fits one device class from the store. Publishes the model, or stores it as a candidate if it is worse. */
@Injectable()
export class FitRunner {
  private readonly logger = new Logger('fits');

  constructor(
    private readonly inputs: FitInputs,
    private readonly kernels: ClassKernels,
    private readonly campaigns: CampaignStore,
    private readonly fleet: FleetStore,
    private readonly models: ModelStore,
    private readonly threads: FitThreads,
  ) {}

  /** @throws GiveUp if there is nothing to fit; another attempt would not help */
  async run(job: FitJob): Promise<Model> {
    const deviceClass = await this.fleet.deviceClass(job.deviceClassId);
    if (deviceClass === null) throw new GiveUp(`there is no device class ${job.deviceClassId}`);
    const campaign = job.campaignId === null ? null : await this.campaigns.get(job.campaignId);
    const { samples, digest, excluded } = await this.inputs.of(deviceClass, campaign?.protocol ?? null);
    const hasKernels = samples.some(({ kernel }) => typeof kernel === 'string');
    const answer = await this.threads.fit({
      samples,
      options: {
        form: job.request.form,
        seed: job.request.seed,
        device: constantsOf(deviceClass),
        ...(hasKernels && (await this.kernels.of(deviceClass))),
        origin: {
          digest,
          excluded,
          deviceClassId: deviceClass.id,
          campaignId: job.campaignId,
          protocol: campaign?.protocol ?? null,
          design: campaign?.request.design.name ?? null,
          noiseFloor: campaign?.noiseFloor ?? (await this.newestNoiseFloor(deviceClass.id)),
          codeVersion: VERSION,
          createdAt: new Date().toISOString(),
        },
      },
    });
    if (!answer.ok) throw new GiveUp(answer.reason);
    const served = await this.models.served(deviceClass.id);
    const { serve, reason } = judgeCandidate(answer.model, served, samples);
    const status = serve ? ('published' as const) : ('candidate' as const);
    const draft = { ...answer.model, deviceClassId: deviceClass.id, status, statusReason: reason };
    const model = await this.models.publish(draft, job.id);
    this.logger.log('fitted', {
      campaign: job.campaignId,
      deviceClass: deviceClass.id,
      model: model.id,
      form: model.chosenForm,
      samples: samples.length,
      status: model.status,
    });
    return model;
  }

  private async newestNoiseFloor(deviceClassId: string): Promise<NoiseFloor | undefined> {
    const { items } = await this.campaigns.list({ deviceClassId }, { limit: CAMPAIGNS });
    return items.find(({ noiseFloor }) => noiseFloor !== undefined)?.noiseFloor;
  }
}

/** Constants of the device that forms may use. */
export function constantsOf({ smCount }: DeviceClass): Record<string, number> {
  return smCount === null ? {} : { smCount };
}
