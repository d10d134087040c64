import { completionRequest } from '@alphaflops/config';
import tabtab from '@pnpm/tabtab';
import { Argument, Command, type Option } from 'commander';

const SHELLS = ['bash', 'zsh', 'fish'] as const;
/** What the scripts call at every Tab; the name is tabtab's. */
const SERVER = 'completion-server';

interface Candidate {
  name: string;
  description: string;
}

/** `completion SHELL` prints a script, and a hidden command answers that script. */
export function completionCommands(program: Command): { visible: Command; hidden: Command } {
  const visible = new Command('completion')
    .description('print a script that completes commands, options and files in your shell')
    .addArgument(new Argument('<shell>').choices(SHELLS))
    .addHelpText(
      'after',
      '\nIt completes the word alphaflops, which has to be on the PATH: "npm link -w apps/cli" in a checkout puts it there.\n' +
        '\nExamples:\n' +
        '  alphaflops completion bash >> ~/.bashrc\n' +
        '  alphaflops completion zsh >> ~/.zshrc\n' +
        '  alphaflops completion fish > ~/.config/fish/completions/alphaflops.fish',
    )
    .action(async (shell: (typeof SHELLS)[number]) => {
      const name = program.name();
      console.log(await tabtab.getCompletionScript({ name, completer: name, shell }));
    });
  const hidden = new Command(SERVER)
    .argument('[words...]')
    .allowUnknownOption()
    .action((words: string[]) => {
      const { shell, wordIndex } = completionRequest();
      const found = candidates(program, words.slice(1, wordIndex));
      if (found === 'files') tabtab.logFiles();
      else tabtab.log(found, tabtab.isShellSupported(shell) ? shell : 'bash');
    });
  return { visible, hidden };
}

/**
 * What may come next on a command line.
 * @param words those before the one at the cursor, without the program's name
 */
export function candidates(program: Command, words: readonly string[]): Candidate[] | 'files' {
  let command = program;
  let waiting: Option | undefined;
  for (const word of words) {
    if (waiting !== undefined) waiting = undefined;
    else if (word.startsWith('-'))
      waiting = optionsOf(command).find(
        (option) => takesValue(option) && [option.short, option.long].includes(word),
      );
    else command = subcommandsOf(command).find((each) => each.name() === word) ?? command;
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
