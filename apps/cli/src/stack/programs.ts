import { fileURLToPath } from 'node:url';

/** The program of another app: apps are started, never imported. */
export function programOf(app: 'coordinator' | 'worker'): string {
  return fileURLToPath(import.meta.resolve(`@alphaflops/${app}/main`));
}
