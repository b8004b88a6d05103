import { Fault } from "@starform/std/fault";
import type { Project } from "../access/ports.ts";
import type { UnitOfWork } from "../stores.ts";

/**
 * A name in `${{Name.VAR}}` means a service or a var group of the project, and never both: whoever takes a name looks
 * here first, while holding the project.
 */
export async function refuseTakenName(
  { services, variables }: UnitOfWork,
  project: Project,
  { name, as }: { name: string; as: "service" | "var group" },
): Promise<void> {
  const others = as === "service" ? await variables.groups(project.id) : await services.ofProject(project.id);
  if (others.some((other) => other.name === name))
    throw new Fault(
      "name_taken",
      `a ${as === "service" ? "var group" : "service"} of the project is named ${name}, and \${{${name}.…}} would mean both: choose another name`,
    );
}
