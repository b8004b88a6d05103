import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { PodBehaviour, PodMatch } from "./kubelet/behaviour.ts";
import type { Stored } from "./model/object.ts";

export type Command =
  | { readonly do: "list"; readonly apiVersion: string; readonly kind: string; readonly namespace?: string }
  | { readonly do: "script"; readonly match: PodMatch; readonly behaviour: PodBehaviour };

export type FakeKubernetesProcess = AsyncDisposable & {
  /** The text of the administrator's kubeconfig. */
  readonly kubeconfig: string;
  list(apiVersion: string, kind: string, namespace?: string): Promise<Stored[]>;
  /** How containers behave from now on; see `pods.script` of the fake in one process. */
  script(match: PodMatch, behaviour: PodBehaviour): Promise<void>;
};

/**
 * An empty fake cluster in a process of its own and in the machine's time, as a cluster is to a platform: what a bootstrap
 * brings is not there yet.
 */
export async function openFakeKubernetesProcess(): Promise<FakeKubernetesProcess> {
  const child = fork(fileURLToPath(new URL("fake-process-main.ts", import.meta.url)), {
    execArgv: ["--disable-warning=ExperimentalWarning"],
    serialization: "advanced",
  });
  const waiting = new Map<number, (said: { answer?: unknown; error?: string }) => void>();
  let asked = 0;
  const [{ kubeconfig }] = (await once(child, "message")) as [{ kubeconfig: string }];
  child.on("message", (said: { id: number; answer?: unknown; error?: string }) =>
    waiting.get(said.id)?.(said),
  );
  const ask = (command: Command): Promise<unknown> =>
    new Promise((resolve, reject) => {
      const id = ++asked;
      const end = () => reject(new Error("the fake cluster has ended"));
      child.once("exit", end);
      waiting.set(id, ({ answer, error }) => {
        child.off("exit", end);
        waiting.delete(id);
        if (error === undefined) resolve(answer);
        else reject(new Error(error));
      });
      child.send({ id, command });
    });
  return {
    kubeconfig,
    list: async (apiVersion, kind, namespace) =>
      (await ask({ do: "list", apiVersion, kind, ...(namespace ? { namespace } : {}) })) as Stored[],
    script: async (match, behaviour) => void (await ask({ do: "script", match, behaviour })),
    async [Symbol.asyncDispose]() {
      if (child.exitCode !== null) return;
      const gone = once(child, "exit");
      child.disconnect();
      await gone;
    },
  };
}
