import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { defineAll } from './lazy.js';
import { createProgram } from './program.js';
import { cliPage, withColumns, withVariables } from './reference.js';

const page = (name: string) => readFileSync(resolve(import.meta.dirname, '../../../docs', name), 'utf8');

describe('the documentation', () => {
  it('has the help of every command (npm run generate)', async () => {
    expect(page('cli.md')).toBe(cliPage(await defineAll(createProgram())));
  });

  it('has every environment variable of the configuration (npm run generate)', () => {
    expect(page('deployment.md')).toBe(withVariables(page('deployment.md')));
  });

  it('has every column of a data set (npm run generate)', () => {
    expect(page('datasets.md')).toBe(withColumns(page('datasets.md')));
  });

  it('has the rooms and the path of the data from the code (npm run generate)', async () => {
    const script = pathToFileURL(resolve(import.meta.dirname, '../../../tools/architecture.mjs')).href;
    const { architecturePage } = (await import(script)) as { architecturePage: () => string };
    expect(page('architecture.md')).toBe(architecturePage());
  });
});
