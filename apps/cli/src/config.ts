import { join } from "node:path";

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
    url: value("STARFORM_URL")?.replace(/\/+$/, ""),
    token: value("STARFORM_TOKEN"),
    workspace: value("STARFORM_WORKSPACE"),
    project: value("STARFORM_PROJECT"),
    service: value("STARFORM_SERVICE"),
    environment: value("STARFORM_ENVIRONMENT"),
    configDir: join(value("XDG_CONFIG_HOME") ?? join(homeDir, ".config"), "starform"),
    colour: value("NO_COLOR")
      ? "never"
      : value("FORCE_COLOR") && value("FORCE_COLOR") !== "0"
        ? "always"
        : value("TERM") === "dumb"
          ? "never"
          : "on_terminals",
  };
}
