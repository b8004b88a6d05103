import { command } from "../../command.ts";
import { completionScripts } from "./completion-scripts.ts";

type Shell = keyof typeof completionScripts;

export default command<{}, [Shell]>({
  brief: "print the completion script of a shell",
  detail:
    'bash: eval "$(starform completion bash)" in ~/.bashrc; zsh: the same in ~/.zshrc; fish: starform completion fish > ~/.config/fish/completions/starform.fish',
  positional: {
    kind: "tuple",
    parameters: [
      {
        brief: "bash, zsh or fish",
        placeholder: "shell",
        parse(input: string): Shell {
          if (input in completionScripts) return input as Shell;
          throw new SyntaxError(`"${input}" is no shell known here: bash, zsh or fish`);
        },
        proposeCompletions: () => Object.keys(completionScripts),
      },
    ],
  },
  async run(context, _flags, shell) {
    context.host.stdout.write(completionScripts[shell]);
  },
});
