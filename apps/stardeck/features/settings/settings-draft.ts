import type { CallInput } from "@starform/contract/route";
import {
  ServiceSettingsPatch,
  type Service,
  type ServiceSettings,
  type Source,
  type updateService,
} from "@starform/contract/services";

/** The settings as the form holds them: text, where empty stands for "by itself". */
export type Draft = {
  sourceKind: Source["kind"];
  address: string;
  branch: string;
  rootDirectory: string;
  /** One a line. */
  watchPaths: string;
  builder: ServiceSettings["builder"];
  dockerfilePath: string;
  installCommand: string;
  buildCommand: string;
  startCommand: string;
  healthPath: string;
  healthTimeout: string;
  tier: ServiceSettings["tier"];
  replicas: string;
  schedule: string;
  drainSeconds: string;
};
type Body = NonNullable<CallInput<typeof updateService>["body"]>;

export const draftOf = ({ source, settings }: Pick<Service, "source" | "settings">): Draft => ({
  sourceKind: source.kind,
  address: source.kind === "git" ? source.url : source.kind === "image" ? source.image : "",
  branch: settings.branch ?? "",
  rootDirectory: settings.rootDirectory,
  watchPaths: settings.watchPaths.join("\n"),
  builder: settings.builder,
  dockerfilePath: settings.dockerfilePath ?? "",
  installCommand: settings.installCommand ?? "",
  buildCommand: settings.buildCommand ?? "",
  startCommand: settings.startCommand ?? "",
  healthPath: settings.healthCheck?.path ?? "",
  healthTimeout: String(settings.healthCheck?.timeoutSeconds ?? 300),
  tier: settings.tier,
  replicas: String(settings.replicas),
  schedule: settings.schedule ?? "",
  drainSeconds: String(settings.drainSeconds),
});

/** A draft with what a person changed in it laid over what stands now. */
export function rebased(
  { base, draft }: { base: Pick<Service, "source" | "settings">; draft: Draft },
  now: Pick<Service, "source" | "settings">,
): Draft {
  const before = draftOf(base);
  const changed = Object.entries(draft).filter(([name, value]) => before[name as keyof Draft] !== value);
  return { ...draftOf(now), ...Object.fromEntries(changed) };
}

const orNull = (text: string): string | null => text.trim() || null;

const settingsOf = (draft: Draft): ServiceSettings => ({
  branch: orNull(draft.branch),
  rootDirectory: draft.rootDirectory.trim(),
  watchPaths: draft.watchPaths
    .split("\n")
    .map((line) => line.trim())
    .filter(Boolean),
  builder: draft.builder,
  dockerfilePath: orNull(draft.dockerfilePath),
  installCommand: orNull(draft.installCommand),
  buildCommand: orNull(draft.buildCommand),
  startCommand: orNull(draft.startCommand),
  healthCheck: draft.healthPath.trim()
    ? { path: draft.healthPath.trim(), timeoutSeconds: numberOf(draft.healthTimeout) }
    : null,
  tier: draft.tier,
  replicas: numberOf(draft.replicas),
  schedule: orNull(draft.schedule),
  drainSeconds: numberOf(draft.drainSeconds),
});

/** An empty box is no number, and not the number nought. */
const numberOf = (text: string): number => (text.trim() === "" ? Number.NaN : Number(text));

const sourceOf = ({ sourceKind, address }: Draft): Source =>
  sourceKind === "push"
    ? { kind: "push" }
    : sourceKind === "git"
      ? { kind: "git", url: address.trim() }
      : { kind: "image", image: address.trim() };

/** What a save would send: only what differs. `problem` says what keeps it from being sent. */
export function patchOf(
  service: Pick<Service, "source" | "settings">,
  draft: Draft,
): { body: Body; problem: string | undefined } {
  const wanted = settingsOf(draft);
  const changed = Object.fromEntries(
    Object.entries(wanted).filter(
      ([name, value]) =>
        JSON.stringify(value) !== JSON.stringify(service.settings[name as keyof ServiceSettings]),
    ),
  );
  const source = sourceOf(draft);
  const body: Body = {
    ...(JSON.stringify(source) === JSON.stringify(service.source) ? {} : { source }),
    ...(Object.keys(changed).length > 0 ? { settings: changed } : {}),
  };
  if (draft.sourceKind !== "push" && !draft.address.trim())
    return { body, problem: "Say where the source is" };
  const issue = ServiceSettingsPatch.safeParse(changed).error?.issues[0];
  return {
    body,
    problem: issue && (rules[String(issue.path[0])] ?? `${issue.path.join(".")}: ${issue.message}`),
  };
}

/** What the boxes take that a person can fill in wrongly. */
const rules: Record<string, string> = {
  healthCheck: "Health check: a path that begins with /, and 1 to 3,600 seconds",
  replicas: "Replicas: a whole number from 0 to 20",
  drainSeconds: "Drain time: 0 to 600 whole seconds",
  branch: "Branch: at most 255 characters",
  watchPaths: "Watch paths: one pattern a line, without {a,b}, at most 200 of 500 characters",
};
