import { describeVariables } from '@alphaflops/config';
import { COLUMN_NAMES, type ColumnKind, SAMPLE_COLUMNS } from '@alphaflops/contracts';
import type { Command } from 'commander';

const WIDTH = 100;

/** docs/cli.md: every command with the text of its `--help`. */
export function cliPage(program: Command): string {
  return `${[
    '# Command line',
    '',
    '_Written from `--help` by `npm run generate`; a test finds differences._',
    '',
    'From a checkout, after `npm install && npm run build`, every command is `npx alphaflops …`.',
    '',
    '- Exit codes: 0 done, 1 failed, 2 wrong usage or bad input. Errors go to standard error; for data they name the',
    '  file, the line and the column.',
    '- `-` in place of a file is standard input or standard output. An output file is complete or does not exist.',
    '- `--json` prints JSON in place of tables, for every command that prints tables. Shares in it are from 0 to 1.',
    '- Colours and progress bars appear only on terminals; `NO_COLOR=1` disables colours there, too.',
    '- `alphaflops completion bash|zsh|fish` prints a script that completes commands, options and files.',
    '- Commands that need a coordinator find it by `--url` and `--token`, otherwise by `ALPHAFLOPS_URL` and',
    '  `ALPHAFLOPS_TOKEN`, otherwise by the files of `up` in the data directory of this machine.',
    '',
    '## Settings',
    '',
    'The command line overrides the environment, which overrides a file: `ALPHAFLOPS_CONFIG` names a JSON file whose',
    'keys are the names of environment variables. It is the same for the command line, coordinators, fitters and workers;',
    '[deployment](deployment.md) has all variables. The most important variables for these commands are:',
    '',
    '    {',
    '      "ALPHAFLOPS_URL": "https://coordinator:8080",',
    '      "ALPHAFLOPS_TOKEN": "af_operator_…",',
    '      "ALPHAFLOPS_CA": "/etc/alphaflops/ca.pem",',
    '      "ALPHAFLOPS_DATA_DIR": "/var/lib/alphaflops"',
    '    }',
    '',
    'Make a file with a token readable for yourself only (`chmod 600`).',
    '',
    ...commandsOf(program).flatMap((command) => [
      `## ${pathOf(command)}`,
      '',
      '```text',
      helpOf(command).trim(),
      '```',
      '',
    ]),
  ]
    .join('\n')
    .trim()}\n`;
}

/** docs/deployment.md with the table of environment variables, from the schema of the configuration. */
export function withVariables(page: string): string {
  const rows = describeVariables().map(({ name, default: usual, values, meaning }) => [
    ...[`\`${name}\``, usual === '' ? '' : `\`${usual}\``, values, meaning.replaceAll('<', '&lt;')],
  ]);
  return withTable(page, 'variables', ['variable', 'default', 'valid values', 'meaning'], rows);
}

const KINDS: Readonly<Record<ColumnKind, string>> = {
  ...{ int: 'integer, 32 bits', long: 'integer, 53 bits', number: 'number', boolean: 'boolean' },
  ...{ text: 'text', numbers: 'list of numbers', texts: 'list of texts' },
};

/** docs/datasets.md with the table of columns from the code. */
export function withColumns(page: string): string {
  const rows = COLUMN_NAMES.map((name) => {
    const { kind, unit, schema, group } = SAMPLE_COLUMNS[name];
    const presence = group === null ? '' : '; only where some row has it';
    return [`\`${name}\``, KINDS[kind], unit ?? '', `${schema.description ?? ''}${presence}`];
  });
  return withTable(page, 'columns', ['column', 'type', 'unit', 'meaning'], rows);
}

/** A page with this table between its two marks. @throws Error if the page does not have the marks */
function withTable(
  page: string,
  name: string,
  head: readonly string[],
  body: readonly (readonly string[])[],
): string {
  const [begin, end] = [`<!-- ${name}: written by npm run generate -->`, `<!-- end of ${name} -->`];
  const [before, rest] = page.split(begin);
  const after = rest?.split(end)[1];
  if (before === undefined || after === undefined)
    throw new Error(`The page does not contain ${begin} and ${end}.`);
  const widths = head.map((_, at) => Math.max(...[head, ...body].map((row) => row[at]?.length ?? 0)));
  const line = (row: readonly string[]) =>
    `| ${row.map((cell, at) => cell.padEnd(widths[at] ?? 0)).join(' | ')} |`;
  const ruled = [line(head), line(widths.map((width) => '-'.repeat(width))), ...body.map(line)];
  return `${before}${begin}\n\n${ruled.join('\n')}\n\n${end}${after}`;
}

/** Commands with an action, in the order of the help. */
function commandsOf(command: Command): Command[] {
  const shown = command.createHelp().visibleCommands(command);
  return shown.length > 0 ? shown.flatMap(commandsOf) : [command];
}

function pathOf(command: Command): string {
  return command.parent === null ? command.name() : `${pathOf(command.parent)} ${command.name()}`;
}

function helpOf(command: Command): string {
  let text = '';
  command.configureOutput({
    writeOut: (piece) => (text += piece),
    getOutHelpWidth: () => WIDTH,
    getOutHasColors: () => false,
  });
  command.outputHelp();
  return text;
}
