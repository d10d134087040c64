import type { Stores } from '@alphaflops/store';

/** The store as a whole, for code that only checks whether it answers. */
export class StoreHandle {
  constructor(private readonly stores: Pick<Stores, 'ping'>) {}

  ping(): Promise<void> {
    return this.stores.ping();
  }
}
