import type { Stores } from '@alphaflops/store';

/** The store as a whole, for those who only ask whether it is there. */
export class StoreHandle {
  constructor(private readonly stores: Pick<Stores, 'ping'>) {}

  ping(): Promise<void> {
    return this.stores.ping();
  }
}
