import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { readBuildPlan } from "@starform/build-plan/build-plan";
import { planApart, type PlanApart } from "@starform/build-plan/plan-apart";
import type { PlanInfo, PlanOptions, PlanOutcome } from "@starform/build-plan/plan-source";
import { z } from "zod";
import { inside } from "../process-builder/copy-tree.ts";
import { railpackPrepare } from "./railpack-prepare.ts";

export type RailpackOptions = {
  /** The `railpack` program: a name on the PATH, or a path. */
  readonly program: string;
  /** The image that runs the plans; Railpack's own of the program's version if not given. */
  readonly frontend?: string | undefined;
  readonly searchPath: string;
  readonly timeoutMs?: number;
};

const Package = z.looseObject({
  requestedVersion: z.string().nullish(),
  resolvedVersion: z.string().nullish(),
  source: z.string().nullish(),
});
const Info = z.looseObject({
  railpackVersion: z.string().default(""),
  detectedProviders: z.array(z.string()).nullish(),
  resolvedPackages: z.record(z.string(), Package).nullish(),
  logs: z.array(z.looseObject({ Level: z.string().default(""), Msg: z.string().default("") })).nullish(),
});

/**
 * Plans with the `railpack` program, for its frontend image to run. Which folder is planned, and whether a Dockerfile
 * wins, is decided as ever. What the program cannot plan is a refusal with its own words; a program that fails
 * otherwise, or is not there, is the platform's fault and rejects.
 */
export function railpackPlanner(options: RailpackOptions): PlanApart {
  return async (dir, planOptions = {}, signal) => {
    const ours = await planApart(dir, planOptions, signal);
    if (ours.ok && ours.kind === "dockerfile") return ours;
    const rootDirectory = ours.ok ? ours.info.rootDirectory : planOptions.rootDirectory || ".";
    const root = await inside(dir, rootDirectory);
    const outDir = await mkdtemp(path.join(tmpdir(), "starform-railpack-"));
    try {
      return await planned(options, planOptions, { root, rootDirectory, outDir, signal });
    } finally {
      await rm(outDir, { recursive: true, force: true });
    }
  };
}

type Place = {
  readonly root: string;
  readonly rootDirectory: string;
  readonly outDir: string;
  readonly signal: AbortSignal | undefined;
};

async function planned(
  options: RailpackOptions,
  { variables = {} }: PlanOptions,
  { root, rootDirectory, outDir, signal }: Place,
): Promise<PlanOutcome> {
  const [planFile, infoFile] = ["plan.json", "info.json"].map((name) => path.join(outDir, name)) as [
    string,
    string,
  ];
  const ended = await railpackPrepare({ ...options, root, variables, planFile, infoFile, signal });
  const info = Info.parse(JSON.parse(await readFile(infoFile, "utf8").catch(() => "{}")));
  if (ended === "cannot plan") return refusal(info);
  const plan = readBuildPlan(JSON.parse(await readFile(planFile, "utf8")));
  const { frontend = `ghcr.io/railwayapp/railpack-frontend:v${info.railpackVersion.replace(/^v/, "")}` } =
    options;
  return { ok: true, kind: "plan", plan, frontend, info: infoOf(info, rootDirectory, frontend) };
}

type RailpackInfo = z.output<typeof Info>;
const linesOf = ({ logs }: RailpackInfo, level: RegExp): string[] =>
  (logs ?? []).filter(({ Level, Msg }) => level.test(Level) && Msg !== "").map(({ Msg }) => Msg.trim());

function refusal(info: RailpackInfo): PlanOutcome {
  const [message = "Railpack found no app in this source", ...more] = linesOf(info, /error/i);
  return {
    ok: false,
    error: {
      message: message.replace(/\.$/, ""),
      lookedFor: [],
      hint: more.join(" ") || "Add what Railpack needs (railpack.com says what), or a Dockerfile.",
    },
  };
}

function infoOf(info: RailpackInfo, rootDirectory: string, frontend: string): PlanInfo {
  const packages = Object.entries(info.resolvedPackages ?? {});
  const made = {
    about: "planner",
    what: "planner",
    reason: `Railpack ${info.railpackVersion || "(of an unknown version)"} planned this, and ${frontend} runs it`,
  };
  return {
    providers: info.detectedProviders ?? [],
    versions: Object.fromEntries(
      packages.map(([name, { resolvedVersion, requestedVersion, source }]) => [
        name,
        { version: resolvedVersion ?? requestedVersion ?? "latest", reason: source || "Railpack's choice" },
      ]),
    ),
    decisions: [
      made,
      ...linesOf(info, /info|warn/i).map((reason, at) => ({
        about: `Railpack's line ${at + 1}`,
        what: "Railpack",
        reason,
      })),
    ],
    rootDirectory,
  };
}
