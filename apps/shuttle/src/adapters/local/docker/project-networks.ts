import { createHash } from "node:crypto";
import { wordsOf } from "@starform/std/fault";
import { label } from "../labels.ts";
import { filters, messageOf, type DockerApi } from "./docker-api.ts";

type Labels = Readonly<Record<string, string>>;

/** One network per environment of a project: its services see each other by name, and nobody else's. */
export type ProjectNetworks = {
  /** The name of the network for an instance of these labels; made if need be. */
  ensure(labels: Labels): Promise<string>;
  /** Removes those nothing uses any more. */
  prune(): Promise<void>;
};

export function projectNetworks(api: DockerApi, clusterId: string): ProjectNetworks {
  // The engine makes two networks of one name when it is asked twice at once, so one is asked for at a time.
  let turn: Promise<unknown> = Promise.resolve();
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const next = turn.then(work, work);
    turn = next.catch(() => undefined);
    return next;
  };
  const own = { "starform.io/managed-by": "shuttle", "starform.io/cluster-id": clusterId };
  const create = (name: string) =>
    api
      .call("POST", "/networks/create", {
        Name: name,
        CheckDuplicate: true,
        Driver: "bridge",
        Labels: own,
      })
      .catch((error: unknown) => ({ status: 500, body: { message: wordsOf(error) } }));
  const prune = async (): Promise<void> => {
    const wanted = Object.entries(own).map(([key, value]) => `${key}=${value}`);
    const { body } = await api.call("GET", `/networks?${filters({ label: wanted })}`);
    for (const { Id: id } of body as { Id: string }[]) {
      const seen = await api.call("GET", `/networks/${id}`);
      const users = (seen.body as { Containers?: Record<string, unknown> } | undefined)?.Containers ?? {};
      if (Object.keys(users).length === 0) await api.call("DELETE", `/networks/${id}`);
    }
  };
  return {
    ensure: (labels) =>
      inTurn(async () => {
        const name = networkName(clusterId, labels);
        if ((await api.call("GET", `/networks/${name}`)).status === 200) return name;
        let made = await create(name);
        if (made.status !== 201 && made.status !== 409) {
          // An engine has addresses for some thirty networks: those of environments that are gone make room.
          await prune();
          made = await create(name);
        }
        if (made.status !== 201 && made.status !== 409)
          throw new Error(`the network of the project could not be made: ${messageOf(made)}`);
        return name;
      }),
    prune: () => inTurn(prune),
  };
}

const networkName = (clusterId: string, labels: Labels): string => {
  const key = `${clusterId}/${label(labels, "project-id")}/${label(labels, "environment")}`;
  return `starform-${createHash("sha256").update(key).digest("hex").slice(0, 16)}`;
};
