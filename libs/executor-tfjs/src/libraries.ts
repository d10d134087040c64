/**
 * Everything that makes times comparable. Specs of either layout are run as NHWC, the only one that all backends have.
 */
export function commonLibraries(core: string, timer: string): Record<string, string> {
  const v8 = process.versions.v8.split('.').slice(0, 2).join('.');
  return { 'tfjs-core': core, v8, 'memory-layout': 'NHWC', timer };
}
