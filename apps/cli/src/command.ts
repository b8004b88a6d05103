import { buildCommand, buildRouteMap, type Aliases, type Command, type CommandContext } from "@stricli/core";
import type { FlagParametersForType, RouteMap, TypedPositionalParameters } from "@stricli/core";
import type { Context, GlobalFlags } from "./context.ts";
import type { Host } from "./host.ts";

/** What stricli hands a command: the host, and where the exit code goes. */
export type RunContext = CommandContext & {
  readonly host: Host;
  fail(error: unknown): Promise<void>;
  finish(exitCode: number): void;
};

type BaseFlags = Readonly<Record<string, unknown>>;
type Definition<F extends BaseFlags, A extends readonly unknown[]> = {
  readonly brief: string;
  /** More than one line for `--help`. */
  readonly detail?: string;
  readonly aliases?: Aliases<keyof F & string>;
  /** Resolves to the exit code; nothing is 0. */
  run(context: Context, flags: F, ...args: A): Promise<number | void>;
} & ([keyof F] extends [never]
  ? { readonly flags?: undefined }
  : { readonly flags: FlagParametersForType<F, RunContext> }) &
  ([] extends A
    ? { readonly positional?: TypedPositionalParameters<A, RunContext> }
    : { readonly positional: TypedPositionalParameters<A, RunContext> });

const text = (brief: string, placeholder: string) =>
  ({ kind: "parsed", parse: String, optional: true, brief, placeholder }) as const;
const globalFlags = {
  project: text("project, by name or id", "project"),
  service: text("service, by name or id", "service"),
  environment: text("environment (production unless linked otherwise)", "environment"),
  workspace: text("workspace, where a project's name alone is ambiguous", "workspace"),
  json: { kind: "boolean", brief: "print JSON", default: false, withNegated: false },
  yes: { kind: "boolean", brief: "answer yes to every question", default: false, withNegated: false },
} as const;
const globalAliases = { p: "project", s: "service", e: "environment", w: "workspace", y: "yes" } as const;

/** A command with the flags that every command has. Its errors become one sentence and an exit code. */
export function command<F extends BaseFlags = Record<never, never>, A extends readonly unknown[] = []>(
  definition: Definition<F, A>,
): Command<RunContext> {
  const { brief, detail } = definition;
  return buildCommand({
    docs: { brief, ...(detail ? { fullDescription: `${brief}\n\n${detail}` } : {}) },
    parameters: {
      flags: { ...definition.flags, ...globalFlags },
      aliases: { ...globalAliases, ...definition.aliases },
      ...(definition.positional ? { positional: definition.positional } : {}),
    } as never,
    async func(this: RunContext, flags: F & GlobalFlags, ...args: A) {
      const { openContext } = await import("./context.ts");
      let context: Context | undefined;
      try {
        context = openContext(this.host, flags);
        this.finish((await definition.run(context, flags, ...args)) ?? 0);
        context.progress.end();
      } catch (error) {
        context?.progress.end();
        await this.fail(error);
      }
    },
  } as never);
}

/** A plural noun with its verbs; without a verb it does `standard`. */
export const topic = (
  brief: string,
  routes: Readonly<Record<string, Command<RunContext> | RouteMap<RunContext>>>,
  options: { standard?: string; aliases?: Readonly<Record<string, string>> } = {},
): RouteMap<RunContext> =>
  buildRouteMap({
    docs: { brief },
    routes,
    ...(options.standard ? { defaultCommand: options.standard } : {}),
    ...(options.aliases ? { aliases: options.aliases } : {}),
  } as never) as RouteMap<RunContext>;

/** A positional argument that is taken as it is typed. */
export const word = (placeholder: string, brief: string) => ({ parse: String, placeholder, brief }) as const;
export const optionalWord = (placeholder: string, brief: string) =>
  ({ parse: String, placeholder, brief, optional: true }) as const;
export const flagOf = (brief: string) =>
  ({ kind: "boolean", brief, default: false, withNegated: false }) as const;
export const valueOf = (placeholder: string, brief: string) =>
  ({ kind: "parsed", parse: String, placeholder, brief, optional: true }) as const;
export const countOf = (placeholder: string, brief: string) =>
  ({ kind: "parsed", parse: wholeNumber, placeholder, brief, optional: true }) as const;

function wholeNumber(input: string): number {
  if (!/^\d{1,9}$/.test(input)) throw new SyntaxError(`"${input}" is not a whole number`);
  return Number(input);
}
