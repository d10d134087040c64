/**
 * Adapter module of test doubles, which the tests of this repository name in the environment of a worker; null anywhere
 * else. It is no setting of the product, and the module is in no package.
 */
export function testAdapter(): string | null {
  return process.env['ALPHAFLOPS_TEST_ADAPTER'] ?? null;
}
