import { Fault } from "@starform/std/fault";
import { parseEnv, type Env } from "@starform/std/parse-env";
import { z } from "zod";

const port = z.coerce.number().int().min(1).max(65_535);
const Variables = z.strictObject({
  PORT: port,
  HEALTH_PORT: port,
  /** In place of what the cluster's Gateway says. */
  ADDRESS: z
    .string()
    .regex(/^[\w.-]+:\d{1,5}$/, "write it like 10.0.0.9:80")
    .optional(),
});

/** Reads `FORWARD_*`, and `KUBECONFIG` as kubectl does. */
export function readForwardConfig(env: Env) {
  const { PORT, HEALTH_PORT, ADDRESS } = parseEnv("FORWARD_", Variables, env);
  const kubeconfigFile = env["KUBECONFIG"];
  if (!kubeconfigFile) throw new Fault("invalid", "KUBECONFIG is not set: whose gateway is meant?");
  const [host = "", to = ""] = ADDRESS?.split(":") ?? [];
  return {
    port: PORT,
    healthPort: HEALTH_PORT,
    kubeconfigFile,
    address: ADDRESS ? { host, port: Number(to) } : undefined,
  };
}
