import type { ServerResponse } from "node:http";
import type { Cluster } from "../cluster.ts";
import type { Stored } from "../model/object.ts";
import { watch, type WatchLine } from "../verbs/watch.ts";
import type { ApiRequest } from "./api-request.ts";
import { shapeOf, showObject } from "./present.ts";
import { routeOf } from "./route.ts";

const isOn = (value: string | null): boolean => value === "true" || value === "1";

/** Answers a watch as one JSON object per line until one side ends it; false when the request is none. */
export function serveWatch(request: ApiRequest, response: ServerResponse, cluster: Cluster): boolean {
  if (request.method !== "GET" || !isOn(request.query.get("watch"))) return false;
  const route = routeOf(request.path, cluster.registry);
  if (route.type !== "resource" || route.subresource !== undefined) return false;
  const showing = {
    kind: route.kind,
    shape: shapeOf(request.accept),
    query: request.query,
    now: cluster.clock.now(),
  };
  const isTold = ({ type }: WatchLine): boolean => type !== "ERROR";
  const start = (): void => {
    if (response.headersSent) return;
    response.writeHead(200, { "Content-Type": "application/json" });
    response.flushHeaders();
  };
  const stop = watch({ ...route, query: request.query }, cluster, {
    send: (line) => {
      start();
      const object = isTold(line) ? showObject(line.object as Stored, showing) : line.object;
      response.write(`${JSON.stringify({ type: line.type, object })}\n`);
    },
    end: () => response.end(),
  });
  start();
  response.on("close", stop);
  return true;
}
