import { once } from "node:events";
import { createServer } from "node:http";
import { openKubeApi } from "@starform/kubernetes/open-kube-api";
import { runMain, untilSignal } from "@starform/std/process";
import { readForwardConfig } from "../src/forward/config.ts";
import { gatewayAddress } from "../src/forward/gateway-address.ts";
import { openGatewayForward } from "../src/forward/gateway-forward.ts";

await runMain(async () => {
  const { port, healthPort, kubeconfigFile, address } = readForwardConfig(process.env);
  await using kube = await openKubeApi({ kubeconfigFile }, { userAgent: "starform-gateway-forward" });
  await using _forward = await openGatewayForward({
    port,
    address: address ? async () => address : gatewayAddress(kube),
  });
  const health = createServer((_, answer) => void answer.end("ok")).listen(healthPort, "127.0.0.1");
  await once(health, "listening");
  await untilSignal("SIGINT", "SIGTERM");
  health.close();
  health.closeAllConnections();
});
