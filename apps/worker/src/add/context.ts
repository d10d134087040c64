import type { Registries } from '@alphaflops/config';

/** Inputs for the addition of a package. */
export interface AddContext {
  /** Folder in which bundles of every version find packages. */
  readonly root: string;
  readonly registries: Registries;
  /** Python program whose pip is used, if it has one. */
  readonly python: string;
  readonly fetch: typeof fetch;
  readonly print: (text: string) => void;
}
