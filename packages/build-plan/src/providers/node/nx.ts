import { type PlanDraft } from "../../plan-draft.ts";
import { PlanRefusal } from "../../plan-refusal.ts";
import type { SourceTree } from "../../source-tree.ts";
import { builds, inMember } from "./frameworks.ts";
import { dependsOn } from "./package-json.ts";
import type { Member, Workspace } from "./workspace.ts";

/** The Next.js app of an Nx workspace, whose targets Nx infers, so that no script names them. */
export function nxApp(
  { tree, variables }: PlanDraft,
  workspace: Workspace,
): { member: Member; project: string } | undefined {
  if (!tree.hasFile("nx.json") || !workspace.dependsOn("nx")) return undefined;
  const apps = workspace.all.filter((member) => isNext(tree, member));
  const wanted = variables.get("NX_APP");
  const chosen =
    wanted === undefined
      ? apps.length === 1
        ? apps[0]
        : undefined
      : apps.find((app) => isCalled(app, wanted));
  if (chosen) return { member: chosen, project: projectOf(chosen) };
  if (wanted === undefined) return undefined;
  throw new PlanRefusal(`RAILPACK_NX_APP=${wanted} is no Next.js app of this workspace`, {
    hint: `Set it to one of: ${apps.map(projectOf).join(", ") || "(none found)"}.`,
  });
}

function isNext(tree: SourceTree, member: Member): boolean {
  const hasConfig = ["js", "mjs", "ts"].some((ending) =>
    tree.hasFile(inMember(member, `next.config.${ending}`)),
  );
  return (
    hasConfig ||
    (dependsOn(member.manifest, "next") && (member.folder !== "" || builds(member.manifest, "next build")))
  );
}

const lastPart = (name: string): string => name.slice(name.lastIndexOf("/") + 1);
const projectOf = ({ manifest, folder }: Member): string => manifest.name ?? lastPart(folder);

const isCalled = ({ manifest, folder }: Member, name: string): boolean =>
  [manifest.name, folder, lastPart(folder), lastPart(manifest.name ?? "")].includes(name);
