import { request } from "node:http";
import { isWalled } from "@starform/std/engine-walls";

/**
 * What the log of a build says where its engine does not keep it from this machine; undefined where it does. An engine
 * that is not ours has its owner's firewall, which we leave alone.
 */
export async function sayWalls(engineSocket: string): Promise<string | undefined> {
  const bridge = await bridgeOf(engineSocket).catch(() => undefined);
  return bridge !== undefined && isWalled(bridge)
    ? undefined
    : "NETWORK NOT KEPT APART: this Docker Engine was not started by the platform; this build can reach what its containers and the engine itself can";
}

/** The interface that builds are on. */
function bridgeOf(socketPath: string): Promise<string | undefined> {
  return new Promise((resolve, reject) => {
    const asked = request({ socketPath, path: "/networks/bridge", timeout: 5_000 }, (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (part: string) => (text += part));
      response.on("error", reject).on("end", () => {
        const { Options: options } = JSON.parse(text) as { Options?: Record<string, string> };
        resolve(options?.["com.docker.network.bridge.name"]);
      });
    });
    asked.on("timeout", () => asked.destroy(new Error("the engine does not answer")));
    asked.on("error", reject).end();
  });
}
