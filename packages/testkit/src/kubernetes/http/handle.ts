import type { Cluster } from "../cluster.ts";
import { noSuchPath } from "../model/api-error.ts";
import type { ApiRequest, ApiResponse } from "./api-request.ts";
import { routeOf } from "./route.ts";
import { serveMetrics } from "./serve-metrics.ts";
import { serveOther } from "./serve-other.ts";
import { serveResource } from "./serve-resource.ts";
import { reviewOf, serveReview } from "./serve-reviews.ts";

/** Everything that has one answer; watches and followed logs do not. */
export function handle(request: ApiRequest, cluster: Cluster): ApiResponse {
  const review = reviewOf(request.path);
  if (review) return serveReview(request, review, cluster);
  const metrics = serveMetrics(request, cluster);
  if (metrics) return metrics;
  const route = routeOf(request.path, cluster.registry);
  if (route.type === "resource") return serveResource(request, route, cluster);
  if (route.type === "other") return serveOther(request, cluster);
  throw noSuchPath();
}
