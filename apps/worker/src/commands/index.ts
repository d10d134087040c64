/**
 * The definitions of the worker's commands, for the worker and for the command line, which forwards them: help,
 * completion and documentation follow from here. Importing them loads nothing of a running worker.
 */
import type { Command } from 'commander';
import { DEFINITIONS, type WorkerCommandName } from './definitions.js';

export { WORKER_COMMANDS, type WorkerCommandName } from './definitions.js';

/**
 * Gives a command the description, arguments, options and example of one of the worker's commands, but no action. An error
 * message about it never contains the value of an option that it does not know: that can be a mistyped `--token=…`.
 */
export function defineWorkerCommand(command: Command, name: WorkerCommandName): Command {
  const { description, define, example } = DEFINITIONS[name];
  const path = pathOf(command);
  return define(command.description(description))
    .helpCommand(false)
    .addHelpText('after', `\nExample:\n  ${`${path} ${example}`.trim()}`)
    .configureOutput({
      outputError: (text, write) => {
        write(withoutValues(text));
      },
    });
}

/** An error message of Commander without the value of an unknown option. */
export function withoutValues(message: string): string {
  return message.replace(/(unknown option '-[^=\n]*)=[^\n]*?'(?=\n|$)/, "$1'");
}

/**
 * Records the options of a command as given on the command line, so that another process can get them.
 * @returns a function that gives them, after parsing; with `only`, those which that command has as well
 */
export function recordOptions(command: Command): (only?: Command) => string[] {
  const given: { readonly long: string; readonly words: readonly string[] }[] = [];
  for (const option of command.options) {
    const long = option.long ?? option.flags;
    command.on(`option:${option.name()}`, (value?: string) => {
      given.push({ long, words: value === undefined ? [long] : [long, value] });
    });
  }
  return (only) =>
    given
      .filter(({ long }) => only === undefined || only.options.some((option) => option.long === long))
      .flatMap(({ words }) => words);
}

function pathOf(command: Command): string {
  return command.parent === null ? command.name() : `${pathOf(command.parent)} ${command.name()}`;
}
