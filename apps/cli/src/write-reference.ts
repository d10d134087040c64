/**
 * `write-reference.js CLI_PAGE DEPLOYMENT_PAGE DATASETS_PAGE`: writes tables and command help from the code into the
 * documentation.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { defineAll } from './lazy.js';
import { createProgram } from './program.js';
import { cliPage, withColumns, withVariables } from './reference.js';

const [cli, deployment, datasets] = process.argv.slice(2);
if (cli === undefined || deployment === undefined || datasets === undefined) {
  console.error('usage: write-reference.js CLI_PAGE DEPLOYMENT_PAGE DATASETS_PAGE');
  process.exit(2);
}
writeFileSync(cli, cliPage(await defineAll(createProgram())));
writeFileSync(deployment, withVariables(readFileSync(deployment, 'utf8')));
writeFileSync(datasets, withColumns(readFileSync(datasets, 'utf8')));
