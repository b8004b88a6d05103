import { createHash } from "node:crypto";
import type { DesiredService } from "@starform/contract/clusters";
import type { KubeObject } from "@starform/kubernetes/kube-api";
import type { PodBehaviour as Behaviour } from "@starform/testkit/kubernetes/kubelet/behaviour";
import { pause, until } from "@starform/std/retry";
import type { KubeRig } from "./cluster-rig.ts";
import { lateProxy, type LateProxy } from "./late-proxy.ts";
import type { SeenObjects } from "./seen-objects.ts";

type Json = Record<string, unknown>;
const registry = "registry.example.com/sample";
export const commandOf = (image: string): string =>
  Buffer.from(image.split(":").at(-1) ?? "", "base64url").toString();
export const imageOfCommand = (command: string): string =>
  `${registry}:${Buffer.from(command).toString("base64url")}`;

/**
 * The sample app (sample-app.ts) as the kubelet of a cluster would see it: what it does follows from its variables, and it
 * is found again by its image. What the sample app takes a second for, a cron takes a minute for, for a cluster's schedule
 * knows no seconds.
 */
export function emulated({ pods, speed, nowMs, owns }: KubeRig, seen: SeenObjects) {
  const made = new WeakMap<DesiredService, DesiredService>();
  const known = new Set<string>();
  const proxy = lateProxy(seen, nowMs);
  return {
    /** The same service with an image whose pods behave as the app would; in a namespace of its own. */
    scripted(service: DesiredService): DesiredService {
      const before = made.get(service);
      if (before) return before;
      const behaviour = behaviourOf(service);
      const digest = createHash("sha256").update(JSON.stringify(behaviour)).digest("hex");
      const image = service.image.includes("missing") ? service.image : `${registry}@sha256:${digest}`;
      if (!known.has(image)) pods.script({ image }, behaviour);
      known.add(image);
      const now = { ...service, image, namespace: `proj-${service.project_id.slice(0, 8)}` };
      owns(now.namespace);
      made.set(service, now);
      return now;
    },
    /** Asks as a visitor would: by its host, through the route, to a pod that is ready. */
    async ask(host: string, path: string): Promise<string> {
      // Every answer takes a moment, that of nobody too.
      await pause(2);
      // A request that steers the app must reach it; a visitor's may fail.
      const pod =
        path === "/"
          ? await reached(seen, proxy, host)
          : await until("an instance is ready", () => podBehind(seen, host));
      const env = environmentOf(seen, pod);
      const { name, namespace = "" } = pod.metadata;
      const restarts = restartsOf(pod);
      const once = (behaviour: Behaviour): void => {
        const undo = pods.script({ namespace, name }, behaviour);
        void until(
          "it was started again",
          () => restartsOf(seen.get("pods", namespace, name)) > restarts,
        ).then(undo, undo);
      };
      if (path === "/env") return JSON.stringify(env);
      if (path === "/exit") once({ exit: { code: 1, times: restarts + 1 }, log: ["Error: asked to exit"] });
      if (path === "/sick") once({ unhealthyAfterMs: 0 });
      await pause(Number(env["SLOW"] ?? 0) / speed);
      if (seen.get("pods", namespace, name)?.metadata.uid !== pod.metadata.uid)
        throw new Error("the pod went away in the middle of the answer");
      return `version ${env["VERSION"] ?? "1"} of ${name}${restarts > 0 ? `, run ${restarts + 1}` : ""}`;
    },
  };
}

const refused = (port: number, path: string) =>
  `Get "http://10.0.0.7:${port}${path}": dial tcp 10.0.0.7:${port}: connect: connection refused`;

function behaviourOf({ env, image, probes, service_type, ports }: DesiredService): Behaviour {
  const { MODE, HEALTH, LISTEN, TAKES } = env;
  const command = image.includes("missing") ? "" : commandOf(image);
  const path = probes.startup.path ?? "/";
  if (image.includes("missing"))
    return {
      pullError: `rpc error: code = NotFound desc = failed to pull and unpack image "${image}": not found`,
    };
  if (command.startsWith("no-such-program"))
    return { exit: { code: 127 }, log: ["/bin/sh: 1: no-such-program: not found"] };
  if (service_type === "cron") return { exit: { code: 0, afterMs: (Number(TAKES ?? 100) / 1_000) * 60_000 } };
  if (MODE === "crash") return { exit: { code: 3 }, log: ["starting 1", "Error: the database is missing"] };
  if (MODE === "killed") return { exit: { code: 139, signal: 11 } };
  if (MODE === "leak") return { exit: { code: 137, reason: "OOMKilled" } };
  if (MODE === "deaf") return { stopMs: 3_600_000 };
  if (MODE === "silent" || LISTEN) return { probeError: refused(ports[0]?.container_port ?? 8080, path) };
  if (HEALTH) return { probeError: `HTTP probe failed with statuscode: ${HEALTH}` };
  return {};
}

const at = (value: unknown, ...path: readonly string[]): unknown =>
  path.reduce((now, part) => (now as Json | undefined)?.[part], value);
const restartsOf = (pod: unknown): number =>
  Number(at((at(pod, "status", "containerStatuses") as Json[] | undefined)?.[0], "restartCount") ?? 0);

/** As Envoy does: what could not connect is sent again, twice. */
async function reached(seen: SeenObjects, proxy: LateProxy, host: string): Promise<KubeObject> {
  for (let tries = 0; ; tries++)
    try {
      return podBehind(seen, host, proxy);
    } catch (error) {
      if (tries === 2 || error instanceof Reset) throw error;
      await pause(25);
    }
}

/** A kept connection was closed under a request: nobody knows whether it was acted on. */
class Reset extends Error {}

/** Of the pods that are ready; through a proxy also of those that it still takes for ready. */
function podBehind(seen: SeenObjects, host: string, proxy?: LateProxy): KubeObject {
  const route = seen
    .list("httproutes")
    .find((each) => (at(each, "spec", "hostnames") as string[]).includes(host));
  if (!route) throw new Error(`no route has the host ${host}`);
  const [rule] = at(route, "spec", "rules") as { backendRefs: { name: string }[] }[];
  const { namespace = "" } = route.metadata;
  const ready = seen
    .list("endpointslices", namespace)
    .filter((slice) => slice.metadata.labels?.["kubernetes.io/service-name"] === rule!.backendRefs[0]!.name)
    .flatMap(
      (slice) =>
        (at(slice, "endpoints") ?? []) as { conditions: { ready: boolean }; targetRef: { name: string } }[],
    )
    .filter(({ conditions }) => conditions.ready)
    .map(({ targetRef }) => targetRef.name);
  const names = proxy?.seen(namespace, rule!.backendRefs[0]!.name, ready) ?? ready;
  const one = names[Math.floor(Math.random() * names.length)];
  if (!one) throw new Error("no instance is ready");
  const fate = proxy?.fateOf(namespace, one) ?? "answered";
  if (fate === "reset") throw new Reset(`the connection to ${one} was closed under the request`);
  if (fate === "refused") throw new Error(`${one} refuses connections`);
  const pod = seen.get("pods", namespace, one);
  if (!pod) throw new Error(`there is no pod ${one}`);
  return pod;
}

/** What the kubelet would put into the container's environment. */
function environmentOf(seen: SeenObjects, pod: KubeObject): Record<string, string> {
  const { namespace = "" } = pod.metadata;
  const [container] = at(pod, "spec", "containers") as {
    envFrom?: { configMapRef?: { name: string }; secretRef?: { name: string } }[];
    env?: { name: string; value?: string }[];
  }[];
  const dataOf = (resource: "configmaps" | "secrets", name: string) =>
    (at(seen.get(resource, namespace, name), "data") ?? {}) as Record<string, string>;
  const sources = (container?.envFrom ?? []).map(({ configMapRef, secretRef }) =>
    configMapRef
      ? dataOf("configmaps", configMapRef.name)
      : Object.fromEntries(
          Object.entries(dataOf("secrets", secretRef!.name)).map(([name, value]) => [
            name,
            Buffer.from(value, "base64").toString(),
          ]),
        ),
  );
  const own = (container?.env ?? []).map(({ name, value }) => [name, value ?? pod.metadata.name] as const);
  return Object.assign({}, ...sources, Object.fromEntries(own)) as Record<string, string>;
}
