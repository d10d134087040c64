import { readFileSync } from 'node:fs';
import { PROCESS_PROTOCOL, protocolJsonSchema } from './index.js';
import { ProgramRequestSchema, RESULTS } from './protocol.js';

it('is published as it is', () => {
  const published = new URL('../../../docs/process-protocol.schema.json', import.meta.url);
  // On a difference: npm run generate
  expect(JSON.parse(readFileSync(published, 'utf8'))).toEqual(
    JSON.parse(JSON.stringify(protocolJsonSchema())),
  );
});

it('has every reference of its schema defined', () => {
  const schema = protocolJsonSchema() as { $defs: Record<string, unknown> };
  const references = [...JSON.stringify(schema).matchAll(/"\$ref":"#\/\$defs\/([^"]+)"/g)].map(
    ([, name]) => name,
  );
  expect(references.length).toBeGreaterThan(0);
  expect(references.filter((name) => name === undefined || !(name in schema.$defs))).toEqual([]);
  expect(Object.keys(schema.$defs)).toEqual(
    expect.arrayContaining(Object.keys(RESULTS).map((method) => `Result.${method}`)),
  );
});

it('starts with a hello of its version', () => {
  const hello = { id: 1, method: 'hello', protocol: PROCESS_PROTOCOL };
  expect(ProgramRequestSchema.parse(hello)).toEqual(hello);
  expect(ProgramRequestSchema.safeParse({ ...hello, protocol: 'alphaflops.process/2' }).success).toBe(false);
});

it('reads the energy of a program under its former name', () => {
  const answer = { outcome: 'ok', windowMs: 1000, iterations: 100 };
  const expected = { ...answer, energyMillijoules: 2.5 };
  expect(RESULTS.energy.parse(expected)).toEqual(expected);
  expect(RESULTS.energy.parse({ ...answer, energyMj: 2.5 })).toEqual(expected);
  expect(RESULTS.energy.safeParse({ ...answer, energyMj: -1 }).success).toBe(false);
});
