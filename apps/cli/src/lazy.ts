import type { Command, CommandOptions } from 'commander';

/** Gives a command its arguments, options, action, and subcommands of its own. */
type Definition = (command: Command) => void;
/** Name, description, and what loads the rest. */
type LazyCommand = readonly [
  name: string,
  description: string,
  load: () => Promise<Definition>,
  options?: CommandOptions,
];

const undefinedYet = new WeakMap<Command, LazyCommand[2]>();

/**
 * Subcommands of which the name and the description are known at once and all else is loaded when one is used: what
 * `report` needs takes half a second, and no other command is to wait for it.
 */
export function addCommands(parent: Command, commands: readonly LazyCommand[]): void {
  for (const [name, description, load, options] of commands) {
    undefinedYet.set(parent.command(name, options).description(description).helpCommand(false), load);
  }
  parent.hook('preSubcommand', (_parent, command) => define(command));
}

/** Loads what is missing of a command, but for its subcommands. */
export async function define(command: Command): Promise<void> {
  const load = undefinedYet.get(command);
  if (load === undefined) return;
  undefinedYet.delete(command);
  (await load())(command);
}

/** The same with all its subcommands, at any depth. */
export async function defineAll(command: Command): Promise<Command> {
  await define(command);
  for (const each of command.commands) await defineAll(each);
  return command;
}
