import {
  buildApplication,
  buildCommand,
  buildRouteMap,
  help,
  proposeCompletions,
  run,
  text_en,
  version,
} from "@stricli/core";
import type { Application, ApplicationText, CommandContext } from "@stricli/core";
import type { RunContext } from "./command.ts";
import { commandAliases, commandTable } from "./commands/command-table.ts";
import { exitCodes } from "./exit-error.ts";
import type { Host } from "./host.ts";
import { version as currentVersion } from "./version.ts";

/** Runs one command line and resolves to its exit code. Never rejects. */
export async function runCli(host: Host, argv: readonly string[]): Promise<number> {
  if (argv[0] === "__complete") return complete(host, argv.slice(1));
  if (isAskingForHelp(argv)) {
    host.stdout.write((await import("./root-help.ts")).rootHelp());
    return 0;
  }
  const words = argv[0] === "help" ? [...argv.slice(1), "--help"] : globalFlagsLast(argv);
  const app = await openApplication(words);
  let exitCode: number | undefined;
  const process = {
    stdout: host.stdout,
    stderr: host.stderr,
    env: { STRICLI_NO_COLOR: "1" },
    exitCode: undefined as number | string | null | undefined,
  };
  const context: RunContext = {
    process: process as CommandContext["process"],
    host,
    finish: (code) => (exitCode = code),
    fail: async (error) => {
      const { tell } = await import("./tell-error.ts");
      exitCode = tell(host, error);
    },
  };
  await run(app, words, context as never);
  if (exitCode !== undefined) return exitCode;
  // stricli's own codes are negative: whatever it refused was typed wrongly, except that it could not load a command.
  const own = Number(process.exitCode ?? 0);
  return own === -4 || own === -5 ? exitCodes.usage : own === 0 ? 0 : exitCodes.failed;
}

/** The verbs of a topic that also does something without one: stricli would propose only what that takes. */
function verbsOf({ root }: Application<RunContext>, words: readonly string[]) {
  const [first = "", partial = "", ...rest] = words;
  const target = "getRoutingTargetForInput" in root ? root.getRoutingTargetForInput(first) : undefined;
  if (words.length !== 2 || rest.length > 0 || !target || !("getAllEntries" in target)) return [];
  return target
    .getAllEntries()
    .map(({ name, target: { brief } }) => ({ completion: name["convert-camel-to-kebab"], brief }))
    .filter(({ completion }) => completion.startsWith(partial));
}

const isAskingForHelp = (argv: readonly string[]): boolean =>
  argv.length === 0 || (argv.length === 1 && ["help", "--help", "-h"].includes(argv[0]!));

/** Proposals for the word under the cursor, one a line with its brief; never an error in the middle of typing. */
async function complete(host: Host, words: readonly string[]): Promise<number> {
  try {
    const app = await openApplication(words);
    const process = { stdout: host.stdout, stderr: host.stderr, env: {} };
    const proposals = await proposeCompletions(app, words, { process, host } as never);
    const verbs = verbsOf(app, words).filter(
      (verb) => !proposals.some(({ completion }) => completion === verb.completion),
    );
    for (const { completion, brief } of [...verbs, ...proposals])
      host.stdout.write(`${completion}\t${brief}\n`);
  } catch {
    // Completion that fails is completion that offers nothing.
  }
  return 0;
}

const formatting = {
  useAliasInUsageLine: false,
  onlyRequiredInUsageLine: true,
  caseStyle: "convert-camel-to-kebab",
} as const;

const text: ApplicationText = {
  ...text_en,
  noCommandRegisteredForInput: ({ input, corrections }) =>
    `there is no command "${input}"${corrections.length > 0 ? `; did you mean ${corrections.join(" or ")}?` : ""} (starform --help lists them)`,
  exceptionWhileParsingArguments(error, colour) {
    return `${text_en.exceptionWhileParsingArguments.call(this, error, colour)} (--help after the command tells what it takes)`;
  },
};

/** The application of which only the command that is typed is loaded; the others are names and briefs. */
export async function openApplication(words: readonly string[]): Promise<Application<RunContext>> {
  const typed = words[0] ?? "";
  const chosen = commandAliases[typed] ?? typed;
  const routes = await Promise.all(
    Object.entries(commandTable).map(async ([name, { brief, load }]) => [
      name,
      name === chosen
        ? (await load()).default
        : buildCommand<{}, [], RunContext>({ docs: { brief }, parameters: {}, func: () => undefined }),
    ]),
  );
  const root = buildRouteMap<string, RunContext>({
    docs: {
      brief: "Starform: push a Git repository or a folder, and the app is built and runs",
      hideRoute: Object.fromEntries(
        Object.entries(commandTable).map(([name, { isHidden }]) => [name, isHidden === true]),
      ),
    },
    routes: Object.fromEntries(routes) as never,
    aliases: commandAliases,
  });
  return buildApplication(
    root,
    {
      name: "starform",
      scanner: { caseStyle: "allow-kebab-for-camel", allowArgumentEscapeSequence: true },
      completion: { includeAliases: false },
      localization: { text },
    },
    {
      help: help({
        alias: "h",
        brief: "print what a command does and takes",
        formatting,
        defaultForRouteMap: true,
      }),
      version: version({ alias: "V", brief: "print the version", info: { currentVersion } }),
    },
  );
}

/** `starform -p shop status` means the same as `starform status -p shop`. */
function globalFlagsLast(argv: readonly string[]): readonly string[] {
  const takesValue = /^(-[psew]|--(project|service|environment|workspace))$/;
  const isGlobal = /^(-[psewy]|--(project|service|environment|workspace)(=.*)?|--json|--yes)$/;
  let at = 0;
  while (at < argv.length && isGlobal.test(argv[at]!)) at += takesValue.test(argv[at]!) ? 2 : 1;
  if (at === 0 || at >= argv.length) return argv;
  const escape = argv.indexOf("--");
  const end = escape === -1 ? argv.length : escape;
  return [...argv.slice(at, end), ...argv.slice(0, at), ...argv.slice(end)];
}
