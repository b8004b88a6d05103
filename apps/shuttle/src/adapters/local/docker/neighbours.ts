import { appendFile } from "node:fs/promises";
import type { GatewayDoor } from "@starform/contract/gateway";
import { label } from "../labels.ts";
import { filters, type DockerApi } from "./docker-api.ts";

/** A container in the same network: the name its service has there, if it takes requests. */
type Neighbour = { readonly id: string; readonly name: string | undefined };

/**
 * The names of web services lead to the gateway's door in their network: it knows which instances are ready, and
 * loses no request when one goes. The engine's own names lead to every container, ready or not; they are left to
 * workers, and to networks where the gateway has no door.
 */
export function neighbourhood(api: DockerApi) {
  const neighboursIn = async (network: string): Promise<Neighbour[]> => {
    const { body } = await api.call("GET", `/containers/json?${filters({ network: [network] })}`);
    return (body as { Id: string; Labels: Record<string, string> | null }[]).map(
      ({ Id, Labels: labels }) => ({
        id: Id,
        name: webNameOf(labels ?? {}),
      }),
    );
  };
  const missingIn = (names: Iterable<string>, known: readonly string[]): string[] =>
    [...new Set(names)].filter((name) => !known.includes(name));

  return {
    /** What a new container finds in its /etc/hosts. */
    async names(network: string, own: Readonly<Record<string, string>>): Promise<string[]> {
      const names = [webNameOf(own), ...(await neighboursIn(network)).map(({ name }) => name)];
      return [...new Set(names.filter((name) => name !== undefined))];
    },
    /** After a container was started: tells it of services that came meanwhile, and the others of its own. */
    async introduce(
      network: string,
      door: GatewayDoor,
      {
        id,
        labels,
        names,
      }: { id: string; labels: Readonly<Record<string, string>>; names: readonly string[] },
    ): Promise<void> {
      const now = await neighboursIn(network);
      const own = webNameOf(labels);
      const isFirst = own !== undefined && now.filter(({ name }) => name === own).length === 1;
      await addNames(
        api,
        id,
        door,
        missingIn(
          now.flatMap(({ name }) => name ?? []),
          names,
        ),
      );
      if (isFirst) for (const other of now) if (other.id !== id) await addNames(api, other.id, door, [own]);
    },
  };
}

export const hostLine = (name: string, { host }: GatewayDoor): string => `${name}:${host}`;

const webNameOf = (labels: Readonly<Record<string, string>>): string | undefined =>
  label(labels, "service-type") === "web" ? label(labels, "service-name") || undefined : undefined;

/**
 * Into the file that the engine mounts as the container's /etc/hosts; in place, or the container would not see it.
 * Where it is out of reach the engine's own name stays, until the container is replaced.
 */
async function addNames(
  api: DockerApi,
  id: string,
  { host }: GatewayDoor,
  names: readonly string[],
): Promise<void> {
  if (names.length === 0) return;
  const { status, body } = await api.call("GET", `/containers/${id}/json`);
  const path = status === 200 ? (body as { HostsPath?: string }).HostsPath : undefined;
  if (path) await appendFile(path, names.map((name) => `${host}\t${name}\n`).join("")).catch(() => undefined);
}
