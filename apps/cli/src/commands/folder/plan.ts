import { command, flagOf, optionalWord } from "../../command.ts";
import { envFlag, planAsBuilt, type EnvFlag } from "../../deploy/plan-as-built.ts";
import { exitCodes, ExitError } from "../../exit-error.ts";
import { withoutSlash } from "../../source/folder-name.ts";

export default command<EnvFlag & { info: boolean }, [string?]>({
  brief: "show how a folder would be built",
  detail:
    "Reads the folder, and needs no network and no sign-in. Where the folder is linked to a service and you are signed in, it is planned with that service's settings and variables (of secrets the name), as its builds do; --env adds variables or wins over them. RAILPACK_* steer the plan; of others it holds the names. With --json the plan itself, in Railpack's format; with --info {plan, info}: what was found and why beside it.",
  flags: { info: flagOf("what was detected, which versions, and why"), env: envFlag },
  positional: { kind: "tuple", parameters: [optionalWord("folder", "what to plan (this folder)")] },
  async run(context, { info, env = [] }, named = ".") {
    const onFault = (words: string) =>
      context.note(`planned without what the service is built with: ${words}; name variables with --env`);
    const { outcome, service, variables } = await planAsBuilt(context, named, { env, onFault });
    if (service)
      context.note(
        `planned as ${service.name} in ${service.environment} is built: with its settings and ${Object.keys(variables).length} variables`,
      );
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
  const rows = [
    ...plan.steps.flatMap(({ name, commands }) =>
      commands.flatMap((c) => ("cmd" in c ? [{ name, what: c.customName ?? c.cmd }] : [])),
    ),
    { name: "start", what: plan.deploy.startCommand ?? "-" },
  ];
  const width = Math.max(...rows.map(({ name }) => name.length));
  return ["", "steps", ...rows.map(({ name, what }) => `  ${name.padEnd(width)}  ${what}`)];
}
