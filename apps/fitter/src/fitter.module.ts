import type { Config } from '@alphaflops/config';
import { FitsModule, FitSettings } from '@alphaflops/fits';
import { HttpModule } from '@alphaflops/http';
import { OperationsModule, processProviders } from '@alphaflops/operations';
import { QueueConnection } from '@alphaflops/queue';
import type { Stores } from '@alphaflops/store';
import { type DynamicModule, Global, Module } from '@nestjs/common';

/** What the process brings along: opened by main, closed by main. */
export interface Parts {
  config: Config;
  stores: Stores;
  queue: QueueConnection;
}

@Global()
@Module({})
class PartsModule {
  static of({ stores, queue }: Parts): DynamicModule {
    const providers = [
      ...processProviders(stores),
      { provide: QueueConnection, useValue: queue },
      { provide: FitSettings, useValue: { fits: true } satisfies FitSettings },
    ];
    return { module: PartsModule, providers, exports: providers.map(({ provide }) => provide) };
  }
}

/** Fits, and over HTTP whether it is well and its metrics, nothing else. */
@Module({})
export class FitterModule {
  static with(parts: Parts): DynamicModule {
    return {
      module: FitterModule,
      imports: [
        PartsModule.of(parts),
        HttpModule.forRoot(parts.config.limits, false),
        FitsModule,
        OperationsModule,
      ],
    };
  }
}
