import type { Logger } from "pino";
import { partsOf, type ServiceKey } from "../core/service-key.ts";
import type { Warn } from "../core/warn.ts";

/** What a line of the log is found by: of whom it tells. */
export const tenantOf = (key: ServiceKey) => {
  const { projectId, environment, serviceId } = partsOf(key);
  return { project_id: projectId, environment, service_id: serviceId };
};

export const warnTo =
  (log: Pick<Logger, "warn">): Warn =>
  (sentence, about) =>
    log.warn(about === undefined ? {} : tenantOf(about), sentence);
