import { join } from "node:path";
import { usageError } from "./exit-error.ts";

/** What the environment says; the command's flags win over it, it wins over the folder's link. */
export type Config = {
  readonly url: string | undefined;
  readonly token: string | undefined;
  readonly workspace: string | undefined;
  readonly project: string | undefined;
  readonly service: string | undefined;
  readonly environment: string | undefined;
  /** Credentials and links. */
  readonly configDir: string;
  readonly colour: "never" | "always" | "on_terminals";
};

/** Where a platform on this machine listens when nobody said otherwise. */
export const localUrl = "http://127.0.0.1:4401";

/** Reads the CLI's variables; empty is the same as absent. */
export function readConfig(env: Readonly<Record<string, string | undefined>>, homeDir: string): Config {
  const value = (name: string) => env[name]?.trim() || undefined;
  return {
    url: addressOf(value("STARFORM_URL")),
    token: value("STARFORM_TOKEN"),
    workspace: value("STARFORM_WORKSPACE"),
    project: value("STARFORM_PROJECT"),
    service: value("STARFORM_SERVICE"),
    environment: value("STARFORM_ENVIRONMENT"),
    configDir: join(value("XDG_CONFIG_HOME") ?? join(homeDir, ".config"), "starform"),
    colour: colourOf(env),
  };
}

/** NO_COLOR wins, FORCE_COLOR is next; else colours are for terminals that have them. */
export function colourOf(env: Readonly<Record<string, string | undefined>>): Config["colour"] {
  if (env["NO_COLOR"]) return "never";
  if (env["FORCE_COLOR"] && env["FORCE_COLOR"] !== "0") return "always";
  return env["TERM"] === "dumb" ? "never" : "on_terminals";
}

/** `127.0.0.1:4401` is short for `http://127.0.0.1:4401`. */
function addressOf(text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  const address = (/^[a-z]+:\/\//i.test(text) ? text : `http://${text}`).replace(/\/+$/, "");
  if (!URL.canParse(address) || !/^https?:/i.test(address))
    throw usageError(`STARFORM_URL is "${text}", which is no address: write it like ${localUrl}`);
  return address;
}
