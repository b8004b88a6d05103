import type { ServerResponse } from "node:http";
import type { Cluster } from "../cluster.ts";
import type { Stored } from "../model/object.ts";
import { watch, type WatchLine } from "../verbs/watch.ts";
import type { ApiRequest } from "./api-request.ts";
import { callOf } from "./call-of.ts";
import { checkListOptions } from "./check-options.ts";
import { followLog } from "./pod-log.ts";
import { shapeOf, showObject } from "./present.ts";
import { routeOf, type Route } from "./route.ts";

type Streaming = {
  readonly cluster: Cluster;
  /** After so many events the connection is cut. */
  readonly eventsMax: number;
};

const isOn = (value: string | null): boolean => value === "true" || value === "1";

/** Answers what has no end of its own, a watch or a followed log; false when the request is neither. */
export function serveStream(request: ApiRequest, response: ServerResponse, streaming: Streaming): boolean {
  const route = routeOf(request.path, streaming.cluster.registry);
  if (request.method !== "GET" || route.type !== "resource") return false;
  if (route.subresource === "log" && isOn(request.query.get("follow"))) {
    followLog(
      request,
      callOf(request, route, () => undefined),
      response,
      streaming.cluster,
    );
    return true;
  }
  if (!isOn(request.query.get("watch")) || route.subresource !== undefined) return false;
  serveWatch(request, route, response, streaming);
  return true;
}

/** One JSON object per line until one side ends it. */
function serveWatch(
  request: ApiRequest,
  route: Route & { readonly type: "resource" },
  response: ServerResponse,
  { cluster, eventsMax }: Streaming,
): void {
  const showing = {
    kind: route.kind,
    shape: shapeOf(request.accept),
    query: request.query,
    now: cluster.clock.now(),
  };
  const shown = ({ type, object }: WatchLine) =>
    type === "ERROR" ? object : showObject(object as Stored, showing);
  const start = (): void => {
    if (response.headersSent) return;
    response.writeHead(200, { "Content-Type": "application/json" });
    response.flushHeaders();
  };
  checkListOptions(request.query, true);
  let sent = 0;
  const stop = watch({ ...route, query: request.query }, cluster, {
    send: (line) => {
      start();
      if (sent >= eventsMax) return;
      response.write(`${JSON.stringify({ type: line.type, object: shown(line) })}\n`);
      sent += 1;
      // What was written still has to leave before the connection breaks.
      if (sent >= eventsMax) setImmediate(() => response.destroy());
    },
    end: () => response.end(),
  });
  start();
  if (eventsMax === 0) response.destroy();
  response.on("close", stop);
}
