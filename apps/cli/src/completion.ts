import { completionRequest } from '@alphaflops/config';
import tabtab from '@pnpm/tabtab';
import { Argument, type Command, type Option } from 'commander';
import { define } from './lazy.js';

const SHELLS = ['bash', 'zsh', 'fish'] as const;

interface Candidate {
  name: string;
  description: string;
}

/** `completion SHELL` prints a script, and the hidden command answers that script. */
export function completionCommand(command: Command): void {
  command
    .addArgument(new Argument('<shell>').choices(SHELLS))
    .addHelpText(
      'after',
      '\nIt completes the command alphaflops, which must be on the PATH. In a checkout, "npm link -w apps/cli" adds it there.\n' +
        '\nExamples:\n' +
        '  alphaflops completion bash >> ~/.bashrc\n' +
        '  alphaflops completion zsh >> ~/.zshrc\n' +
        '  alphaflops completion fish > ~/.config/fish/completions/alphaflops.fish',
    )
    .action(async (shell: (typeof SHELLS)[number]) => {
      const name = programOf(command).name();
      console.log(await tabtab.getCompletionScript({ name, completer: name, shell }));
    });
}

export function completionServerCommand(command: Command): void {
  command
    .argument('[words...]')
    .allowUnknownOption()
    .action(async (words: string[]) => {
      const { shell, wordIndex } = completionRequest();
      const found = await candidates(programOf(command), words.slice(1, wordIndex));
      if (found === 'files') tabtab.logFiles();
      else tabtab.log(found, tabtab.isShellSupported(shell) ? shell : 'bash');
    });
}

const programOf = (command: Command): Command =>
  command.parent === null ? command : programOf(command.parent);

/**
 * Returns the possible next words on a command line.
 *
 * @param words the words before the cursor, without the name of the program
 */
export async function candidates(program: Command, words: readonly string[]): Promise<Candidate[] | 'files'> {
  let command = program;
  let waiting: Option | undefined;
  for (const word of words) {
    if (waiting !== undefined) waiting = undefined;
    else if (word.startsWith('-'))
      waiting = optionsOf(command).find(
        (option) => takesValue(option) && [option.short, option.long].includes(word),
      );
    else {
      command = subcommandsOf(command).find((each) => each.name() === word) ?? command;
      await define(command);
    }
  }
  if (waiting !== undefined) return valuesOf(waiting);
  const options = optionsOf(command).map(({ long, description }) => ({ name: long ?? '', description }));
  const choices = command.registeredArguments.flatMap(({ argChoices = [] }) => argChoices);
  const next = [
    ...subcommandsOf(command).map((each) => ({ name: each.name(), description: each.description() })),
    ...choices.map((name) => ({ name, description: '' })),
  ];
  return [...next, ...options];
}

const takesValue = ({ required, optional }: Option): boolean => required || optional;

function valuesOf({ argChoices, flags }: Option): Candidate[] | 'files' {
  if (argChoices !== undefined) return argChoices.map((name) => ({ name, description: '' }));
  return /<(file|dir|folder)>/.test(flags) ? 'files' : [];
}

function optionsOf(command: Command): readonly Option[] {
  return command.createHelp().visibleOptions(command);
}

function subcommandsOf(command: Command): readonly Command[] {
  return command.createHelp().visibleCommands(command);
}
