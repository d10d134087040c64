/** `write-reference.js CLI_PAGE DEPLOYMENT_PAGE`: writes the pages of the documentation that the code knows best. */
import { readFileSync, writeFileSync } from 'node:fs';
import { defineAll } from './lazy.js';
import { createProgram } from './program.js';
import { cliPage, withVariables } from './reference.js';

const [cli, deployment] = process.argv.slice(2);
if (cli === undefined || deployment === undefined) {
  console.error('usage: write-reference.js CLI_PAGE DEPLOYMENT_PAGE');
  process.exit(2);
}
writeFileSync(cli, cliPage(await defineAll(createProgram())));
writeFileSync(deployment, withVariables(readFileSync(deployment, 'utf8')));
