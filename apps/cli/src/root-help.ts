import { commandTable } from "./commands/command-table.ts";

const groups: Readonly<Record<string, readonly string[]>> = {
  Deploy: ["up", "git", "status", "open", "logs"],
  "What was deployed": [
    "deployments",
    "builds",
    "redeploy",
    "rollback",
    "cancel",
    "diff",
    "restart",
    "scale",
  ],
  "What it runs with": [
    "variables",
    "var-groups",
    "services",
    "environments",
    "projects",
    "registries",
    "cron",
  ],
  "This folder": ["init", "link", "unlink", "plan", "eject"],
  "The platform": ["cluster", "clusters"],
  You: ["login", "logout", "whoami", "tokens", "completion"],
};

/** The first page: every command by what it is for, and what all of them take. */
export function rootHelp(): string {
  const lines = Object.entries(groups).flatMap(([title, names]) => [
    "",
    title,
    ...names.map((name) => `  ${name.padEnd(14)}${commandTable[name]!.brief}`),
  ]);
  return [
    "Starform: push a Git repository or a folder, and the app is built and runs",
    "",
    "  starform <command> [flags]     starform <command> --help tells what one takes",
    ...lines,
    "",
    "Every command takes",
    "  -p --project, -s --service, -e --environment, -w --workspace   by name or id",
    "  --json   -y --yes   -h --help   -V --version",
    "",
    "Without a login: STARFORM_URL and STARFORM_TOKEN",
    "",
  ].join("\n");
}
