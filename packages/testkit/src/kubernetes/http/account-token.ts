import { defaultAudience } from "../access/tokens.ts";
import { invalidObject, notAllowed } from "../model/api-error.ts";
import { invalid } from "../model/field-error.ts";
import { asObject, asStrings } from "../model/json.ts";
import { timestamp } from "../model/object.ts";
import { existing } from "../verbs/update.ts";
import { requiredBody } from "./api-request.ts";
import type { Subresource } from "./subresources.ts";

const shortestSeconds = 600;

/** A token for a service account, good for some time. */
export const token: Subresource = {
  has: (kind) => kind.resource === "serviceaccounts",
  verbs: ["create"],
  speaks: { group: "authentication.k8s.io", version: "v1", kind: "TokenRequest" },
  serve: (request, call, cluster) => {
    if (request.method !== "POST") throw notAllowed();
    const account = existing(call, cluster);
    const spec = asObject(asObject(requiredBody(request))["spec"]);
    const seconds = Number(spec["expirationSeconds"] ?? 3600);
    if (seconds < shortestSeconds)
      throw invalidObject({ group: "authentication.k8s.io", kind: "TokenRequest" }, "", [
        invalid("spec.expirationSeconds", seconds, "may not specify a duration less than 10 minutes"),
      ]);
    const audiences = asStrings(spec["audiences"]);
    const meant = audiences.length > 0 ? audiences : [defaultAudience];
    const { name, namespace = "", uid = "" } = account.metadata;
    const issued = cluster.tokens.issue({ namespace, name, uid }, meant, seconds);
    return {
      status: 201,
      body: {
        kind: "TokenRequest",
        apiVersion: "authentication.k8s.io/v1",
        metadata: { name, namespace, uid, creationTimestamp: timestamp(cluster.clock.now()) },
        spec: { audiences: meant, expirationSeconds: seconds, boundObjectRef: null },
        status: { token: issued.token, expirationTimestamp: timestamp(issued.expires) },
      },
    };
  },
};
