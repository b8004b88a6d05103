import type { GatewayDoor } from "@starform/contract/gateway";
import { wordsOf } from "@starform/std/fault";
import { backoffMs, pause } from "@starform/std/retry";
import { reasonOfMissingCommand, reasonOfMissingImage } from "../../../core/reasons.ts";
import type { Engine, Instance, InstanceSpec, StartResult } from "../engine.ts";
import { isOurs, label } from "../labels.ts";
import { readFrames, sinceOf } from "./container-output.ts";
import { listenersOf } from "./container-ports.ts";
import { containerSpec, imageOf, instanceLabel } from "./container-spec.ts";
import { endedWithEngine, toInstance, type Inspected } from "./container-state.ts";
import { endings } from "./container-events.ts";
import { usageOfContainer } from "./container-usage.ts";
import { dockerApi, filters, messageOf, type DockerApi } from "./docker-api.ts";
import { passOnSigterm } from "./pass-on-sigterm.ts";
import { hostLine, neighbourhood } from "./neighbours.ts";
import { networkWalls, noWalls } from "./network-walls.ts";
import { projectNetworks, type ProjectNetwork } from "./project-networks.ts";

export type DockerEngineOptions = {
  readonly socketPath: string;
  readonly clusterId: string;
  readonly warn: (sentence: string) => void;
  /** Lets the gateway listen there; resolves to why it cannot. Undefined where there is no gateway. */
  readonly openDoor?: (door: GatewayDoor) => Promise<string | undefined>;
};

const stopSlackMs = 10_000;

/** Instances as containers of a Docker Engine. Containers of other clusters and other people are never touched. */
export async function openDockerEngine({
  socketPath,
  clusterId,
  warn,
  openDoor = async () => "there is no gateway",
}: DockerEngineOptions): Promise<Engine> {
  const api = dockerApi(socketPath);
  const machine = await machineOf(api);
  // A container's address is reachable from a Linux host; elsewhere the engine runs in a machine of its own.
  const publishes = process.platform !== "linux";
  const walls = publishes ? noWalls : networkWalls(`${socketPath} ${clusterId}`, warn);
  const networks = projectNetworks(api, clusterId, walls);
  const neighbours = neighbourhood(api);
  const ownLabels = ["starform.io/managed-by=shuttle", `starform.io/cluster-id=${clusterId}`];
  const listeners = new Set<(id: string) => void>();
  const shutDoors = new Set<string>();
  const closing = new AbortController();
  const [lost, seenEnding] = [new Set<string>(), new Set<string>()];

  const inspect = async (id: string): Promise<Inspected | undefined> => {
    const { status, body } = await api.call("GET", `/containers/${encodeURIComponent(id)}/json`);
    return status === 200 && isOurs((body as Inspected).Config.Labels ?? {}, clusterId)
      ? (body as Inspected)
      : undefined;
  };
  const toOwn = (seen: Inspected): Instance =>
    toInstance(seen, { publishes, isLost: lost.has(nameOf(seen)) });
  const all = async (): Promise<Inspected[]> => {
    const { body } = await api.call(
      "GET",
      `/containers/json?all=true&${filters({ label: [...ownLabels, instanceLabel] })}`,
    );
    const found = await Promise.all((body as { Id: string }[]).map(({ Id }) => inspect(Id)));
    return found.filter((each) => each !== undefined);
  };
  const tell = (id: string) => {
    for (const listener of listeners) listener(id);
  };
  /** Looks at everything that may have ended while nobody listened, or while the engine was away. */
  const catchUp = async (awaySinceMs: number | undefined) => {
    for (const seen of await all()) {
      const id = nameOf(seen);
      if (seen.State.Running || seenEnding.has(id)) continue;
      if (endedWithEngine(seen, awaySinceMs)) lost.add(id);
      tell(id);
    }
  };
  async function followEvents(): Promise<void> {
    let awaySinceMs: number | undefined;
    for (let attempt = 1; !closing.signal.aborted; attempt++) {
      try {
        const events = await api.stream(
          `/events?${filters({ type: ["container"], event: ["die", "kill"], label: ownLabels })}`,
          closing.signal,
        );
        await catchUp(awaySinceMs);
        [attempt, awaySinceMs] = [0, undefined];
        for await (const { id, isKilled } of endings(events)) {
          seenEnding.add(id);
          if (isKilled) lost.add(id);
          tell(id);
        }
      } catch (error) {
        if (!closing.signal.aborted && attempt === 3)
          warn(
            `the Docker Engine is away: ${wordsOf(error)}; what runs in it is looked at again once it is back`,
          );
      }
      awaySinceMs ??= Date.now();
      await pause(backoffMs({ firstMs: 100, maxMs: 2_000 }, attempt + 1), closing.signal);
    }
  }

  const remove = async (id: string): Promise<void> => {
    await api.call("DELETE", `/containers/${encodeURIComponent(id)}?force=true&v=true`);
    lost.delete(id);
    seenEnding.delete(id);
  };

  await networks.wall();
  // Made by a Shuttle that did not come to start it: nobody would ever find it again.
  for (const seen of await all()) if (seen.State.Status === "created") await remove(nameOf(seen));
  const following = followEvents();

  return {
    runtime: "docker",
    isolatesNetwork: true,
    capabilities: ["sandbox", "memory-limit", "cpu-limit", "process-limit", "network-isolation"],
    machine,
    start: (spec) => start(spec),
    async stop(id, drainMs) {
      const deadlineMs = performance.now() + drainMs;
      if (drainMs > 0) await passOnSigterm(api, id, drainMs);
      const leftMs = Math.max(deadlineMs - performance.now(), 0);
      const path = `/containers/${encodeURIComponent(id)}`;
      if (leftMs === 0 && drainMs > 0) await api.call("POST", `${path}/kill`);
      const seconds = Math.ceil(leftMs / 1_000);
      await api.call("POST", `${path}/stop?t=${seconds}`, undefined, leftMs + stopSlackMs + 20_000);
      // The engine does not say whether it had to: killed is what a SIGKILL ended once the time was over.
      const isOver = performance.now() >= deadlineMs;
      const ending = isOver ? (await inspect(id))?.State : undefined;
      return ending?.ExitCode === 137 && !ending.OOMKilled ? "killed" : "ended";
    },
    remove,
    async find(id) {
      const seen = await inspect(id);
      return seen && toOwn(seen);
    },
    list: async () => (await all()).filter((seen) => seen.State.Status !== "created").map(toOwn),
    watch(listener) {
      listeners.add(listener);
      return { [Symbol.dispose]: () => void listeners.delete(listener) };
    },
    async *output(id, cursor, signal) {
      let at = cursor;
      for (let attempt = 1; !signal.aborted; attempt++) {
        try {
          if (!(await inspect(id))) return;
          const query = `follow=true&stdout=true&stderr=true&timestamps=true&since=${sinceOf(at)}`;
          const stream = await api.stream(`/containers/${encodeURIComponent(id)}/logs?${query}`, signal);
          for await (const chunk of readFrames(stream, at)) {
            attempt = 0;
            yield chunk;
            at = chunk.cursor;
          }
          // The engine ends the stream with the container, and breaks it off when it goes itself.
          if (!(await inspect(id))?.State.Running) return;
        } catch {
          // The engine is away. What the container said meanwhile is read once it is back.
        }
        await pause(backoffMs({ firstMs: 100, maxMs: 2_000 }, attempt + 1), signal);
      }
    },
    async usage() {
      const running = (await all()).filter(({ State }) => State.Running);
      const used = await Promise.all(
        running.map(async (seen) => [nameOf(seen), await usageOfContainer(api, seen)] as const),
      );
      return new Map(used.flatMap(([id, usage]) => (usage ? [[id, usage] as const] : [])));
    },
    hasImage: async (image) =>
      (await api.call("GET", `/images/${encodeURIComponent(imageOf(image))}/json`)).status === 200,
    async listeners(id) {
      const seen = await inspect(id).catch(() => undefined);
      return seen?.State.Running ? listenersOf(seen.State.Pid) : undefined;
    },
    async setCpu(id, cpuMillis) {
      await api.call("POST", `/containers/${encodeURIComponent(id)}/update`, {
        NanoCpus: Math.min(cpuMillis, machine.cpuMillis) * 1e6,
      });
    },
    async [Symbol.asyncDispose]() {
      closing.abort();
      await following;
      await networks
        .prune()
        .catch((error: unknown) => warn(`networks of projects were left behind: ${wordsOf(error)}`));
    },
  };

  /** The network, with its door if the gateway listens there; otherwise the engine's own names have to do. */
  async function doorOf({ name, door }: ProjectNetwork): Promise<ProjectNetwork> {
    if (!door || publishes) return { name, door: undefined };
    const refusal = await openDoor(door).catch(wordsOf);
    if (refusal === undefined) return { name, door };
    if (!shutDoors.has(name))
      warn(
        `private addresses in ${name} lead to instances that are not ready as well, because the gateway cannot listen on ${door.host}: ${refusal}`,
      );
    shutDoors.add(name);
    return { name, door: undefined };
  }

  async function start(spec: InstanceSpec): Promise<StartResult> {
    const missing = await bringImage(api, spec);
    if (missing) return { kind: "refused", refusal: { kind: "image_missing", reason: missing } };
    const { name, door } = await doorOf(await networks.ensure(spec.labels));
    const names = door ? await neighbours.names(name, spec.labels) : [];
    const hosts = door ? names.map((neighbour) => hostLine(neighbour, door)) : [];
    const alias = label(spec.labels, "service-name") || undefined;
    // The engine refuses to give more than the machine has.
    const limits = { ...spec.limits, cpuMillis: Math.min(spec.limits.cpuMillis, machine.cpuMillis) };
    const made = await api.call(
      "POST",
      `/containers/create?name=${spec.id}`,
      containerSpec({ ...spec, limits }, { name, alias, hosts, publishes }),
    );
    if (made.status === 400) return { kind: "refused", refusal: refusalOf(messageOf(made)) };
    if (made.status !== 201) throw new Error(`the container could not be made: ${messageOf(made)}`);
    const started = await api.call("POST", `/containers/${spec.id}/start`).catch(async (error: unknown) => {
      await remove(spec.id).catch(() => undefined);
      throw error;
    });
    if (started.status >= 400) {
      await remove(spec.id);
      return { kind: "refused", refusal: refusalOf(messageOf(started)) };
    }
    const seen = await inspect(spec.id);
    if (seen && door) await neighbours.introduce(name, door, { id: seen.Id, labels: spec.labels, names });
    if (!seen) throw new Error(`the container ${spec.id} was gone as soon as it had been started`);
    // An end that came before the caller knew the instance is told again once it does.
    setImmediate(() => void (seenEnding.has(spec.id) && tell(spec.id)));
    return { kind: "started", instance: toOwn(seen) };
  }
}

const nameOf = (seen: Inspected): string => seen.Config.Labels?.[instanceLabel] ?? seen.Id;

function refusalOf(message: string): { kind: "command_missing" | "invalid"; reason: string } {
  if (/no command specified/i.test(message))
    return { kind: "command_missing", reason: reasonOfMissingCommand() };
  const isCommand = /executable file not found|no such file or directory|permission denied/i.test(message);
  return isCommand
    ? {
        kind: "command_missing",
        reason: `the start command cannot be run (${message}): correct it in starform.json or in the service's settings`,
      }
    : { kind: "invalid", reason: `the Docker Engine refuses it: ${message}` };
}

/** Makes sure the engine has the image; answers why it cannot have it. Images made here are never looked for elsewhere. */
async function bringImage(
  api: DockerApi,
  { image, imageCredentials }: Pick<InstanceSpec, "image" | "imageCredentials">,
): Promise<string | undefined> {
  const { status, body } = await api.call("GET", `/images/${encodeURIComponent(imageOf(image))}/json`);
  const isOwn = image.startsWith("starform.local/");
  // The engine takes the beginning of an id for a name as well, and what it finds so may be anybody's.
  const isById =
    !isOwn && (body as { Id?: string } | undefined)?.Id?.replace("sha256:", "").startsWith(image);
  if (status === 200 && !isById) return undefined;
  if (isOwn) return reasonOfMissingImage(image);
  const pulled = await api
    .pull(tagged(image), imageCredentials)
    .catch((error: unknown) => ({ status: 500, body: { message: wordsOf(error) } }));
  const said = [pulled.body ?? []].flat() as { error?: string }[];
  const failed = said.find(({ error }) => error)?.error;
  if (pulled.status === 200 && !failed) return undefined;
  return `the image ${image} cannot be had: ${failed ?? messageOf(pulled)}. Check its name, and that the project may pull it (\`starform registries\` lists where it signs in)`;
}

/** Of a name without a tag the engine would pull every tag there is. */
const tagged = (image: string): string => (/[:@][^/]*$/.test(image) ? image : `${image}:latest`);

async function machineOf(api: DockerApi): Promise<Engine["machine"]> {
  const { NCPU, MemTotal } = (await api.call("GET", "/info")).body as { NCPU: number; MemTotal: number };
  return { cpuMillis: NCPU * 1_000, memoryBytes: MemTotal };
}
