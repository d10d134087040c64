import { join } from 'node:path';
import { CampaignFits, CampaignSettings, CampaignsModule } from '@alphaflops/campaigns';
import { CatalogueModule, KernelMapSettings } from '@alphaflops/catalogue';
import { type Config, readTls, selfSignedPin } from '@alphaflops/config';
import type { Campaign } from '@alphaflops/contracts';
import { EnrolmentModule, EnrolmentSettings, WorkerBundles } from '@alphaflops/enrolment';
import { FitsApiModule, FitsModule, FitSettings, FitsService, RoundsService } from '@alphaflops/fits';
import { HttpModule } from '@alphaflops/http';
import {
  DeploymentModule,
  DeploymentSettings,
  OperationsModule,
  type ProcessParts,
  processProviders,
} from '@alphaflops/operations';
import { LeaseDesk, QueueConnection } from '@alphaflops/queue';
import { type DynamicModule, Global, Logger, Module } from '@nestjs/common';
import { KeptBundles } from './bundles/kept-bundles.js';

/** While Redis is unreachable, every queue reports the same error repeatedly. It is logged once, until another error occurs. */
function leaseDesk(queue: QueueConnection): LeaseDesk {
  const logger = new Logger('queue');
  let last = '';
  return new LeaseDesk(queue, ({ message }) => {
    if (message !== last) logger.warn(message);
    last = message;
  });
}

/** Ports and settings, which every feature gets by their class. */
@Global()
@Module({})
class PartsModule {
  static of({ config, stores, queue }: ProcessParts): DynamicModule {
    const { heartbeatS, offlineAfterS, staleAfterS, batchSpecs, kernelMapShapes, roles, host, publicUrl } =
      config;
    const providers = [
      ...processProviders(stores),
      { provide: QueueConnection, useValue: queue },
      { provide: LeaseDesk, useFactory: () => leaseDesk(queue) },
      {
        provide: EnrolmentSettings,
        useValue: {
          heartbeatS,
          offlineAfterS,
          staleAfterS,
          join: { host, publicUrl, keyPin: keyPinOf(config) },
        } satisfies EnrolmentSettings,
      },
      { provide: WorkerBundles, useValue: new KeptBundles(join(config.dataDirectory, 'bundles')) },
      {
        provide: CampaignSettings,
        useValue: {
          batchSpecs,
          offlineAfterS,
          staleAfterS,
          records: roles.includes('record'),
        } satisfies CampaignSettings,
      },
      {
        provide: DeploymentSettings,
        useValue: { offlineAfterS, staleAfterS } satisfies DeploymentSettings,
      },
      {
        provide: KernelMapSettings,
        useValue: { asks: roles.includes('record'), shapes: kernelMapShapes } satisfies KernelMapSettings,
      },
      { provide: FitSettings, useValue: { fits: roles.includes('fit') } satisfies FitSettings },
    ];
    return { module: PartsModule, providers, exports: providers.map(({ provide }) => provide) };
  }
}

/** Null if a proxy terminates TLS, because workers then see the certificate of the proxy. */
function keyPinOf({ tls, trustedProxies }: Config): string | null {
  return tls === null || trustedProxies.length > 0 ? null : selfSignedPin(readTls(tls).cert);
}

/** Lets campaigns request fits without a dependency on the fits feature. */
@Global()
@Module({
  imports: [FitsModule],
  providers: [
    {
      provide: CampaignFits,
      inject: [FitsService, RoundsService],
      useFactory: (fits: FitsService, rounds: RoundsService): CampaignFits => ({
        request: (campaign: Campaign) => fits.requestForCampaign(campaign),
        requestRound: (campaign: Campaign) => rounds.request(campaign),
      }),
    },
  ],
  exports: [CampaignFits],
})
class CampaignFitsModule {}

@Module({})
export class AppModule {
  static with(parts: ProcessParts): DynamicModule {
    return {
      module: AppModule,
      imports: [
        PartsModule.of(parts),
        HttpModule.forRoot(parts.config.limits, parts.config.publicRead),
        EnrolmentModule,
        CampaignFitsModule,
        CampaignsModule,
        FitsApiModule,
        CatalogueModule,
        OperationsModule,
        DeploymentModule,
      ],
    };
  }
}
