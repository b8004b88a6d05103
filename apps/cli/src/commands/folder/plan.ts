import { resolve } from "node:path";
import { command, flagOf, optionalWord } from "../../command.ts";
import { exitCodes, ExitError } from "../../exit-error.ts";
import { withoutSlash } from "../../source/folder-name.ts";

export default command<{ info: boolean }, [string?]>({
  brief: "show how a folder would be built",
  detail:
    "Reads the folder and nothing else: no network, no sign-in. With --json the plan itself, in Railpack's format; with --info {plan, info}: what was found and why beside it.",
  flags: { info: flagOf("what was detected, which versions, and why") },
  positional: { kind: "tuple", parameters: [optionalWord("folder", "what to plan (this folder)")] },
  async run(context, { info }, named = ".") {
    const { planApart } = await import("@starform/build-plan/plan-apart");
    const folder = resolve(context.host.cwd, named);
    const outcome = await planApart(folder);
    if (!outcome.ok) {
      const { message, lookedFor, hint } = outcome.error;
      if (context.isJson) context.jsonLine({ error: outcome.error });
      const looked = lookedFor.length > 0 ? `\n  looked for: ${lookedFor.join(", ")}` : "";
      throw new ExitError(exitCodes.failed, `${withoutSlash(named)}: ${message}${looked}\n  ${hint}`);
    }
    const plan = outcome.kind === "plan" ? outcome.plan : { dockerfile: outcome.path };
    context.answer(info ? { plan, info: outcome.info } : plan, () =>
      [...foundLines(outcome), ...(outcome.kind === "plan" ? stepLines(outcome.plan) : [])].join("\n"),
    );
  },
});

type Found = Extract<
  Awaited<ReturnType<typeof import("@starform/build-plan/plan-source").planSource>>,
  { ok: true }
>;

function foundLines(outcome: Found): string[] {
  const { providers, versions, decisions, services } = outcome.info;
  return [
    outcome.kind === "dockerfile"
      ? `built by ${outcome.path}`
      : `found      ${providers.join(", ") || "nothing special"}`,
    ...Object.entries(versions).map(
      ([tool, { version, reason }]) => `${tool.padEnd(10)} ${version} (${reason})`,
    ),
    ...decisions.map(({ what, reason }) => `           ${what} (${reason})`),
    ...(services ?? []).map(
      ({ name, type, rootDirectory }) => `service    ${name}: a ${type} in ${rootDirectory}`,
    ),
  ];
}

function stepLines(plan: Extract<Found, { kind: "plan" }>["plan"]): string[] {
  const commands = (step: (typeof plan.steps)[number]) =>
    step.commands.flatMap((c) => ("cmd" in c ? [`  ${step.name.padEnd(9)}${c.customName ?? c.cmd}`] : []));
  return ["", "steps", ...plan.steps.flatMap(commands), `  start    ${plan.deploy.startCommand ?? "-"}`];
}
