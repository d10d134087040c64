import { FitsModule, FitSettings } from '@alphaflops/fits';
import { HttpModule } from '@alphaflops/http';
import { OperationsModule, type ProcessParts, processProviders } from '@alphaflops/operations';
import { QueueConnection } from '@alphaflops/queue';
import { type DynamicModule, Global, Module } from '@nestjs/common';

@Global()
@Module({})
class PartsModule {
  static of({ stores, queue }: ProcessParts): DynamicModule {
    const providers = [
      ...processProviders(stores),
      { provide: QueueConnection, useValue: queue },
      { provide: FitSettings, useValue: { fits: true } satisfies FitSettings },
    ];
    return { module: PartsModule, providers, exports: providers.map(({ provide }) => provide) };
  }
}

/** Runs fits. Over HTTP it serves only its health and its metrics. */
@Module({})
export class FitterModule {
  static with(parts: ProcessParts): DynamicModule {
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
