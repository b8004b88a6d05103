import type { Cluster } from "../cluster.ts";
import type { JsonObject } from "../model/json.ts";
import type { ApiRequest, ApiResponse } from "./api-request.ts";
import { serveDiscovery } from "./discovery.ts";
import { serveOpenApi } from "./openapi.ts";

/** As a kube-apiserver v1.36.2 says it. */
const version: JsonObject = {
  major: "1",
  minor: "36",
  emulationMajor: "1",
  emulationMinor: "36",
  minCompatibilityMajor: "1",
  minCompatibilityMinor: "35",
  gitVersion: "v1.36.2",
  gitCommit: "98b35193b2ac7a23a673325f5e9b830ecd5ba406",
  gitTreeState: "clean",
  buildDate: "2026-08-21T00:00:00Z",
  goVersion: "go1.26.10",
  compiler: "gc",
  platform: "linux/amd64",
};

/** Paths that are about no resource. */
export function serveOther(request: ApiRequest, cluster: Cluster): ApiResponse {
  const { path } = request;
  if (/^\/version\/?$/.test(path)) return { status: 200, body: version };
  if (/^\/(healthz|readyz|livez)(\/|$)/.test(path)) return { status: 200, body: "ok", isText: true };
  return (
    serveOpenApi(path, cluster.registry) ??
    serveDiscovery(request, cluster) ?? { status: 404, body: "404 page not found\n", isText: true }
  );
}
