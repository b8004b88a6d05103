import { updateEnvironment } from "@starform/contract/projects";
import { command, word } from "../../command.ts";
import type { Context } from "../../context.ts";
import { projectTarget } from "../../target.ts";

const named = { kind: "tuple", parameters: [word("name", "which environment")] } as const;

export const protect = command<{}, [string]>({
  brief: "let only project admins change an environment",
  positional: named,
  run: (context, _flags, name) => update(context, name, true),
});
export const unprotect = command<{}, [string]>({
  brief: "lift the protection of an environment",
  positional: named,
  run: (context, _flags, name) => update(context, name, false),
});

async function update(context: Context, name: string, isProtected: boolean): Promise<void> {
  const { project } = projectTarget(context);
  const { call } = await context.api();
  const environment = await call(updateEnvironment, {
    params: { project, environment: name },
    body: { isProtected },
  });
  context.answer(
    environment,
    () => `${context.paint("green", "✓")} ${name} is ${isProtected ? "protected" : "no longer protected"}`,
  );
}
