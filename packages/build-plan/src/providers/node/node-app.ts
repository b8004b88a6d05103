import type { PlanDraft } from "../../plan-draft.ts";
import { manifestPath, type PackageJson } from "./package-json.ts";
import { type PackageManager, packageManagerOf } from "./package-manager.ts";
import { readWorkspace, type Workspace } from "./workspace.ts";

/** A Node source, read. */
export interface NodeApp {
  readonly manifestFile: string;
  readonly manifest: PackageJson;
  readonly workspace: Workspace;
  readonly manager: PackageManager;
}

export function readNodeApp(draft: Pick<PlanDraft, "tree">): NodeApp {
  const workspace = readWorkspace(draft.tree);
  const { manifest } = workspace.root;
  return {
    manifestFile: manifestPath(draft.tree)!,
    manifest,
    workspace,
    manager: packageManagerOf(draft.tree, manifest),
  };
}
