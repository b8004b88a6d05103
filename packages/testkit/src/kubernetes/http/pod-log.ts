import type { ServerResponse } from "node:http";
import type { Cluster } from "../cluster.ts";
import { specOf, statusOf } from "../kinds/in-spec.ts";
import { badRequest, notFound } from "../model/api-error.ts";
import { asObject, asObjects, type JsonObject } from "../model/json.ts";
import type { Stored } from "../model/object.ts";
import type { LogLine } from "../kubelet/pod-logs.ts";
import { existing } from "../verbs/update.ts";
import type { Call } from "../verbs/call.ts";
import type { ApiRequest, ApiResponse } from "./api-request.ts";
import type { Subresource } from "./subresources.ts";

/** The container whose log is meant: the one named, the default one, or the only one. */
function containerOf(pod: Stored, wanted: string | null): JsonObject {
  const containers = [...asObjects(specOf(pod)["containers"]), ...asObjects(specOf(pod)["initContainers"])];
  const standard = pod.metadata.annotations?.["kubectl.kubernetes.io/default-container"];
  const name = wanted ?? standard;
  if (name === undefined && asObjects(specOf(pod)["containers"]).length > 1)
    throw badRequest(
      `a container name must be specified for pod ${pod.metadata.name}, choose one of: [${containers.map((one) => String(one["name"])).join(" ")}]`,
    );
  const found = name === undefined ? containers[0] : containers.find((one) => one["name"] === name);
  if (!found) throw badRequest(`container ${name} is not valid for pod ${pod.metadata.name}`);
  return found;
}

/** RFC 3339 with nanoseconds, as the runtime writes it. */
const nanoTime = (time: Date): string => time.toISOString().replace("Z", "000000Z");

export const printLine = ({ time, text }: LogLine, query: URLSearchParams): string =>
  `${query.get("timestamps") === "true" ? `${nanoTime(time)} ` : ""}${text}\n`;

/** What of the lines the query asks for, as text. */
export function selected(lines: readonly LogLine[], query: URLSearchParams, now: Date): string {
  const seconds = query.get("sinceSeconds");
  const since =
    seconds === null
      ? Date.parse(query.get("sinceTime") ?? "1970-01-01T00:00:00Z")
      : now.getTime() - Number(seconds) * 1000;
  const recent = lines.filter(({ time }) => time.getTime() >= since);
  const tail = query.get("tailLines");
  const text = (tail === null ? recent : recent.slice(Math.max(0, recent.length - Number(tail))))
    .map((line) => printLine(line, query))
    .join("");
  const bytes = query.get("limitBytes");
  return bytes === null ? text : Buffer.from(text).subarray(0, Number(bytes)).toString();
}

type Found = { readonly pod: Stored; readonly name: string; readonly lines: readonly LogLine[] };

/** The lines of a container, or undefined for a pod that no node has taken on yet. */
function linesOf({ query }: ApiRequest, call: Call, cluster: Cluster): Found | undefined {
  const pod = existing(call, cluster);
  const name = String(containerOf(pod, query.get("container"))["name"]);
  if (specOf(pod)["nodeName"] === undefined) return undefined;
  return { pod, name, lines: linesOfContainer(pod, name, { query, cluster }) };
}

/** What the node has of a container's log: of its run now, or of the one before. */
export function linesOfContainer(
  pod: Stored,
  name: string,
  { query, cluster }: { readonly query: URLSearchParams; readonly cluster: Cluster },
): readonly LogLine[] {
  const uid = pod.metadata.uid ?? "";
  if (query.get("previous") === "true") {
    const before = cluster.logs.previous(uid, name);
    const status = asObjects(statusOf(pod)["containerStatuses"]).find((one) => one["name"] === name);
    const isDown =
      asObject(status?.["lastState"])["terminated"] !== undefined &&
      asObject(status?.["state"])["waiting"] !== undefined;
    const lines = isDown ? cluster.logs.read(uid, name) : before;
    if (!lines)
      throw badRequest(
        `previous terminated container ${JSON.stringify(name)} in pod ${JSON.stringify(pod.metadata.name)} not found`,
      );
    return lines;
  }
  const lines = cluster.logs.read(uid, name);
  if (lines) return lines;
  const status = asObjects(statusOf(pod)["containerStatuses"]).find((one) => one["name"] === name);
  const reason = asObject(asObject(status?.["state"])["waiting"])["reason"] ?? "ContainerCreating";
  const isPulling = reason === "ErrImagePull" || reason === "ImagePullBackOff";
  throw badRequest(
    `container ${JSON.stringify(name)} in pod ${JSON.stringify(pod.metadata.name)} is waiting to start: ${isPulling ? "trying and failing to pull image" : String(reason)}`,
  );
}

export const log: Subresource = {
  has: (kind) => kind.resource === "pods",
  verbs: ["get"],
  serve: (request, call, cluster): ApiResponse => {
    if (request.method !== "GET") throw notFound(call.kind, call.name);
    const found = linesOf(request, call, cluster);
    if (!found) return { status: 204, body: "" };
    return { status: 200, isText: true, body: selected(found.lines, request.query, cluster.clock.now()) };
  },
};

/** Sends what was said and whatever is said from now on, until the pod is gone or the caller leaves. */
export function followLog(request: ApiRequest, call: Call, response: ServerResponse, cluster: Cluster): void {
  const found = linesOf(request, call, cluster);
  response.writeHead(found ? 200 : 204, { "Content-Type": "text/plain" });
  if (!found) return void response.end();
  response.flushHeaders();
  response.write(selected(found.lines, request.query, cluster.clock.now()));
  const uid = found.pod.metadata.uid ?? "";
  const stopLines = cluster.logs.onLine((pod, container, line) => {
    if (pod === uid && container === found.name) response.write(printLine(line, request.query));
  });
  const isOver = (pod: Stored | undefined): boolean => {
    const status = asObjects(pod?.["status"] === undefined ? [] : statusOf(pod)["containerStatuses"]).find(
      (one) => one["name"] === found.name,
    );
    return pod === undefined || asObject(status?.["state"])["running"] === undefined;
  };
  const stop = (): void => {
    stopLines();
    stopEvents();
    response.end();
  };
  const stopEvents = cluster.store.onEvent(({ resource, object, previous }) => {
    if (resource === "pods" && (object ?? previous)?.metadata.uid === uid && isOver(object)) stop();
  });
  if (isOver(existing(call, cluster))) stop();
  response.on("close", stop);
}
