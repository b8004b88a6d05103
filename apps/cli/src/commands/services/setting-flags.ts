import { Tier } from "@starform/contract/names";
import type { CallInput } from "@starform/contract/route";
import type { updateService } from "@starform/contract/services";
import { countOf, valueOf } from "../../command.ts";

export type SettingFlags = {
  git?: string;
  image?: string;
  branch?: string;
  root?: string;
  watch?: string;
  dockerfile?: string;
  install?: string;
  build?: string;
  start?: string;
  health?: string;
  tier?: Tier;
  replicas?: number;
  schedule?: string;
  drain?: number;
};

/** What a service is built from and how it runs, for those who do not keep a starform.json. */
export const settingFlags = {
  git: valueOf("url", "build from a Git repository"),
  image: valueOf("image", "run a prebuilt image"),
  branch: valueOf("branch", "the branch whose pushes deploy (main)"),
  root: valueOf("folder", "the folder of the repository that holds the app"),
  watch: valueOf(
    "patterns",
    "of pushes to Starform, only those that change these deploy: like .gitignore, with commas between",
  ),
  dockerfile: valueOf("path", "the Dockerfile to build by"),
  install: valueOf("command", "the install command"),
  build: valueOf("command", "the build command"),
  start: valueOf("command", "the start command"),
  health: valueOf("path", "what answers 2xx or 3xx when the app is well"),
  tier: { kind: "enum", values: Tier.options, optional: true, brief: "CPU and memory of one instance" },
  replicas: countOf("count", "how many instances"),
  schedule: valueOf("cron", "when a cron service runs: five fields, UTC"),
  drain: countOf("seconds", "between SIGTERM and SIGKILL"),
} as const;

const patternsIn = (text: string): string[] =>
  text
    .split(",")
    .map((pattern) => pattern.trim())
    .filter(Boolean);

type Body = NonNullable<CallInput<typeof updateService>["body"]>;

/** The members of a service that were named; an empty text puts a setting back to what is detected. */
export function settingsOf(flags: SettingFlags): Pick<Body, "source" | "settings"> {
  const {
    git,
    image,
    branch,
    root,
    watch,
    dockerfile,
    install,
    build,
    start,
    health,
    tier,
    replicas,
    schedule,
    drain,
  } = flags;
  const text = <K extends string>(name: K, value: string | undefined) =>
    value === undefined ? {} : ({ [name]: value === "" ? null : value } as Record<K, string | null>);
  const settings = {
    ...text("branch", branch),
    ...(root === undefined ? {} : { rootDirectory: root }),
    ...(watch === undefined ? {} : { watchPaths: patternsIn(watch) }),
    ...text("dockerfilePath", dockerfile),
    ...text("installCommand", install),
    ...text("buildCommand", build),
    ...text("startCommand", start),
    ...(health === undefined ? {} : { healthCheck: health === "" ? null : { path: health } }),
    ...(tier ? { tier } : {}),
    ...(replicas === undefined ? {} : { replicas }),
    ...text("schedule", schedule),
    ...(drain === undefined ? {} : { drainSeconds: drain }),
  };
  return {
    ...(git
      ? { source: { kind: "git" as const, url: git } }
      : image
        ? { source: { kind: "image" as const, image } }
        : {}),
    ...(Object.keys(settings).length > 0 ? { settings } : {}),
  };
}
