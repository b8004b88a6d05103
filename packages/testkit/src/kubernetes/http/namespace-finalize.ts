import { notAllowed } from "../model/api-error.ts";
import { asObject, asStrings } from "../model/json.ts";
import { finishDeletion } from "../verbs/finish-deletion.ts";
import { existing } from "../verbs/update.ts";
import { requiredBody } from "./api-request.ts";
import type { Subresource } from "./subresources.ts";

/** Says that one of those who wanted to see a namespace go has seen it. */
export const finalize: Subresource = {
  has: (kind) => kind.resource === "namespaces",
  verbs: ["update"],
  serve: (request, call, cluster) => {
    if (request.method !== "PUT") throw notAllowed();
    const live = existing(call, cluster);
    const finalizers = asStrings(asObject(asObject(requiredBody(request))["spec"])["finalizers"]);
    const written = cluster.store.write("namespaces", {
      ...live,
      spec: finalizers.length > 0 ? { finalizers } : {},
    });
    return { status: 200, body: finishDeletion(written, call.kind, cluster) };
  },
};
