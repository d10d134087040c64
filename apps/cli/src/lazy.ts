import type { Command, CommandOptions } from 'commander';

/** Adds arguments, options, action and subcommands to a command. */
type Definition = (command: Command) => void;
/** Name, description, and a function that loads the rest. */
type LazyCommand = readonly [
  name: string,
  description: string,
  load: () => Promise<Definition>,
  options?: CommandOptions,
];

const undefinedYet = new WeakMap<Command, LazyCommand[2]>();

/**
 * Subcommands whose names and descriptions are available at once. The rest is loaded when a command is used: the
 * imports of `report` take half a second, and no other command should wait for them.
 */
export function addCommands(parent: Command, commands: readonly LazyCommand[]): void {
  for (const [name, description, load, options] of commands) {
    undefinedYet.set(parent.command(name, options).description(description).helpCommand(false), load);
  }
  parent.hook('preSubcommand', (_parent, command) => define(command));
}

/** Loads the missing parts of a command, without its subcommands. */
export async function define(command: Command): Promise<void> {
  const load = undefinedYet.get(command);
  if (load === undefined) return;
  undefinedYet.delete(command);
  (await load())(command);
}

/** Loads a command with all its subcommands, at any depth. */
export async function defineAll(command: Command): Promise<Command> {
  await define(command);
  for (const each of command.commands) await defineAll(each);
  return command;
}
