import type { KubeObject } from "@starform/kubernetes/kube-api";
import { parseAllDocuments } from "yaml";
import { canDo, type Right } from "../access-review.ts";
import type { Check } from "../examination.ts";
import { readPart } from "../parts-folder.ts";
import { bootstrapAgain, findingsOf } from "./finding.ts";

const { ok, error } = findingsOf("rights");
const account = { namespace: "starform-system", name: "shuttle" };
type Role = KubeObject & {
  readonly rules: readonly {
    readonly apiGroups: readonly string[];
    readonly resources: readonly string[];
    readonly verbs: readonly string[];
  }[];
};

/** Asks the API server for every right of Shuttle's roles; bindings, webhooks and other authorizers have their say. */
export const checkRights: Check = async ({ kube, askStarbase, signal }) => {
  const rights = shuttleRights();
  const [who, asked, mend] = askStarbase
    ? ["Shuttle", account, bootstrapAgain]
    : [
        "this kubeconfig",
        undefined,
        "use one of the cluster's administrator, or of a user bound to the role shuttle",
      ];
  const refused: Right[] = [];
  for (const right of rights) if (!(await canDo(kube, right, asked, signal))) refused.push(right);
  if (refused.length === 0) return [ok(`${who} has all ${rights.length} rights that Shuttle's calls need`)];
  const some = refused.slice(0, 5).map(({ verb, resource }) => `${verb} ${resource}`);
  const more = refused.length > some.length ? ` and ${refused.length - some.length} more` : "";
  return [error(`${who} may not ${some.join(", ")}${more}`, mend)];
};

/** As the roles in deploy/cluster/shuttle say, which are written from Shuttle's own table. */
export const shuttleRights = (): readonly Right[] =>
  parseAllDocuments(readPart("shuttle", "cluster-role.yaml"))
    .map((document) => document.toJS() as Role)
    .flatMap(({ metadata: { namespace }, rules }) =>
      rules.flatMap(({ apiGroups, resources, verbs }) =>
        apiGroups.flatMap((group) =>
          resources.flatMap((resource) =>
            verbs.map((verb) => ({ verb, group, resource, ...(namespace ? { namespace } : {}) })),
          ),
        ),
      ),
    );
