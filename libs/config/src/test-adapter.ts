/**
 * Adapter module of test doubles. The tests of this repository set it in the environment of a worker; otherwise it is null.
 * It is not a setting of the product, and no package contains the module.
 */
export function testAdapter(): string | null {
  return process.env['ALPHAFLOPS_TEST_ADAPTER'] ?? null;
}
