import type { Registries } from '@alphaflops/config';

/** What the addition of a package needs. */
export interface AddContext {
  /** Folder that bundles find packages in, whatever version is in use. */
  readonly root: string;
  readonly registries: Registries;
  /** Program whose pip is used, where there is one. */
  readonly python: string;
  readonly fetch: typeof fetch;
  readonly print: (text: string) => void;
}
