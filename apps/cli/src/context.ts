import type { Call } from "@starform/client/client";
import type { CallInput, CallOutput, Route } from "@starform/contract/route";
import { localUrl, readConfig, type Config } from "./config.ts";
import { exitCodes, ExitError, usageError } from "./exit-error.ts";
import type { Host, Sink } from "./host.ts";
import { paintWith, safeText, type Paint } from "./output/paint.ts";
import { progressOn, type Progress } from "./output/progress.ts";
import { fileCredentials, type Credentials } from "./store/credentials.ts";
import { localPlatform } from "./store/local-platform.ts";
import { fileLinks, type Links } from "./store/links.ts";

/** The flags every command has. */
export type GlobalFlags = {
  readonly project?: string;
  readonly service?: string;
  readonly environment?: string;
  readonly workspace?: string;
  readonly json: boolean;
  readonly yes: boolean;
};

export type Api = {
  readonly url: string;
  readonly call: Call;
  stream<R extends Route>(
    route: R,
    input: CallInput<R>,
    options: { signal: AbortSignal },
  ): AsyncGenerator<NonNullable<CallOutput<R>>>;
};

/** What a command works with. */
export type Context = {
  readonly host: Host;
  readonly config: Config;
  readonly flags: GlobalFlags;
  readonly isJson: boolean;
  readonly credentials: Credentials;
  readonly links: Links;
  readonly paint: Paint;
  readonly mayColour: boolean;
  readonly progress: Progress;
  /** The address of the platform: the environment's, the folder's, the one signed in to, the local one. */
  url(folder?: string): string;
  /** The same; undefined where nothing of it says one and only the usual address is left. */
  knownUrl(folder?: string): string | undefined;
  /** The credential for an address: `STARFORM_TOKEN`, the stored one, this clone's own platform's. */
  tokenFor(url: string): string | undefined;
  /** The typed calls, with the caller's token; an exit 1 that says how to sign in if there is none. */
  api(options?: { url?: string; token?: string; isPublic?: boolean }): Promise<Api>;
  /** A line for the person; nothing with `--json`. */
  say(text: string): void;
  /** The answer: JSON with `--json`, else what `words` makes of it. */
  answer(value: unknown, words: () => string): void;
  /** One JSON value on a line of its own. */
  jsonLine(value: unknown): void;
  /** Something aside from the answer, on standard error. */
  note(text: string): void;
  /** True after a yes; `--yes` answers by itself. Without a terminal: exit 2 that names `--yes`. */
  confirm(question: string): Promise<boolean>;
};

export function openContext(host: Host, flags: GlobalFlags): Context {
  const config = readConfig(host.env, host.homeDir);
  const credentials = fileCredentials(config.configDir);
  const links = fileLinks(config.configDir);
  const mayColour = isColoured(config, host.stdout) && !flags.json;
  const progress = progressOn(host.stderr, !flags.json);
  const write = (sink: Sink, text: string) => progress.above(() => sink.write(`${text}\n`));
  /** Apps have their say in logs, reasons and names: to a pipe it goes as it is, to a terminal made safe. */
  const writeWords = (sink: Sink, text: string) =>
    write(sink, sink.isTerminal ? safeText(text, mayColour) : text);
  const local = () => localPlatform(host.cloneDir);
  const knownUrl = (folder = host.cwd) =>
    config.url ?? links.around(folder)?.link.url ?? credentials.current() ?? local()?.url;
  const url = (folder = host.cwd) => knownUrl(folder) ?? localUrl;
  const tokenFor = (at: string) =>
    config.token ?? credentials.of(at)?.token ?? (local()?.url === at ? local()?.token : undefined);

  return {
    host,
    config,
    flags,
    isJson: flags.json,
    credentials,
    links,
    paint: paintWith(mayColour),
    mayColour,
    progress,
    url,
    knownUrl,
    tokenFor,
    async api(options = {}) {
      const at = options.url ?? url();
      const token = options.token ?? tokenFor(at);
      if (!token && !options.isPublic)
        throw new ExitError(
          exitCodes.failed,
          `you are not signed in to ${at}: starform login ${at} (or set STARFORM_TOKEN, and STARFORM_URL for another platform)`,
        );
      const { openApi } = await import("./open-api.ts");
      return openApi({ url: at, token, signal: host.interrupted });
    },
    say: (text) => void (flags.json || writeWords(host.stdout, text)),
    answer: (value, words) =>
      flags.json ? write(host.stdout, JSON.stringify(value, null, 2)) : writeWords(host.stdout, words()),
    jsonLine: (value) => write(host.stdout, JSON.stringify(value)),
    note: (text) => writeWords(host.stderr, text),
    async confirm(question) {
      if (flags.yes) return true;
      if (!host.isInputTerminal) throw usageError(`${question} There is no terminal to ask at: add --yes.`);
      progress.end();
      const answer = (await host.ask(`${question} [Y/n] `)).toLowerCase();
      return ["", "y", "yes"].includes(answer);
    },
  };
}

const isColoured = (config: Config, sink: Sink): boolean =>
  config.colour === "always" || (config.colour === "on_terminals" && sink.isTerminal);
