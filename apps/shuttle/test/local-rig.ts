import { randomUUID } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { LogLine } from "@starform/log-shipper/log-shipper";
import { httpGatewayAdmin } from "../src/adapters/gateway/gateway-admin.ts";
import type { Engine } from "../src/adapters/local/engine.ts";
import { openLocalCluster } from "../src/adapters/local/local-cluster.ts";
import type { ClusterRig } from "./cluster.contract.ts";
import { openFakeGateway } from "./fake-gateway.ts";

type Options = {
  /** Opens the engine on its own state below `dir`; called again for each restart of Shuttle. */
  readonly openEngine: (dir: string, clusterId: string) => Promise<Engine>;
  readonly image: (dir: string, command: string | null) => Promise<string>;
  readonly missingImage: string;
  readonly isolatesNetwork: boolean;
};

/** The rig of a local cluster over any engine, with a gateway that only keeps the table. */
export async function openLocalRig(options: Options): Promise<ClusterRig & { readonly dir: string }> {
  const dir = mkdtempSync(join(tmpdir(), "starform-cluster-"));
  const clusterId = randomUUID();
  const gateway = await openFakeGateway("token");
  const lines: LogLine[] = [];
  return {
    dir,
    lines,
    missingImage: options.missingImage,
    isolatesNetwork: options.isolatesNetwork,
    open: async (onClose) =>
      openLocalCluster({
        engine: await options.openEngine(dir, clusterId),
        gateway: httpGatewayAdmin({ url: gateway.url, token: "token" }),
        sink: { ship: (line) => void lines.push(line), flush: async () => undefined },
        clusterId,
        dir,
        onClose,
        timings: { livenessEveryMs: 200 },
        warn: (sentence) => void (process.env["SHUTTLE_LOG"] && console.warn(sentence)),
      }),
    image: (command) => options.image(dir, command),
    ask: (service, path) => gateway.ask(service.hostname!, path),
    async [Symbol.asyncDispose]() {
      await gateway[Symbol.asyncDispose]();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}
