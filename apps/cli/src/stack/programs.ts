import { fileURLToPath } from 'node:url';

/** The program of another app. An app starts other apps and never imports them. */
export function programOf(app: 'coordinator' | 'worker'): string {
  return fileURLToPath(import.meta.resolve(`@alphaflops/${app}/main`));
}
