import { request } from "node:http";
import { connect } from "node:net";
import type { Probe } from "@starform/contract/clusters";

/** `silent`: nobody took the connection; `wrong`: somebody did, and the answer is not what was asked for. */
export type ProbeResult =
  | { readonly kind: "ok"; readonly host: string }
  | { readonly kind: "silent" }
  | { readonly kind: "wrong"; readonly reason: string };
type Address = { readonly host: string; readonly port: number };

/** Asks once. An app that took the machine's IPv6 loopback only is found there. */
export async function askProbe(probe: Probe, address: Address, timeoutMs: number): Promise<ProbeResult> {
  const hosts = address.host === "127.0.0.1" ? [address.host, "::1"] : [address.host];
  let last: ProbeResult = { kind: "silent" };
  for (const host of hosts) {
    last = await (probe.kind === "http"
      ? askHttp(host, address.port, probe.path ?? "/", timeoutMs)
      : askTcp(host, address.port, timeoutMs));
    if (last.kind !== "silent") return last;
  }
  return last;
}

function askHttp(host: string, port: number, path: string, timeoutMs: number): Promise<ProbeResult> {
  return new Promise((resolve) => {
    const wrong = (reason: string) => resolve({ kind: "wrong", reason: `GET ${path} ${reason}` });
    const asked = request(
      {
        host,
        port,
        path,
        agent: false,
        headers: { host: "localhost", "user-agent": "starform-probe", connection: "close" },
      },
      (answer) => {
        answer.resume();
        const status = answer.statusCode ?? 0;
        if (status >= 200 && status < 400) resolve({ kind: "ok", host });
        else wrong(`answered ${status}`);
      },
    );
    const timer = setTimeout(() => {
      wrong(`was not answered within ${timeoutMs / 1_000} s`);
      asked.destroy();
    }, timeoutMs);
    asked.on("close", () => clearTimeout(timer));
    asked.on("error", (error: NodeJS.ErrnoException) =>
      isSilence(error)
        ? resolve({ kind: "silent" })
        : wrong(`got no answer (${error.code ?? error.message})`),
    );
    asked.end();
  });
}

function askTcp(host: string, port: number, timeoutMs: number): Promise<ProbeResult> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: timeoutMs });
    const end = (result: ProbeResult) => {
      resolve(result);
      socket.destroy();
    };
    socket.on("connect", () => end({ kind: "ok", host }));
    socket.on("timeout", () =>
      end({ kind: "wrong", reason: `port ${port} did not take a connection within ${timeoutMs / 1_000} s` }),
    );
    socket.on("error", () => end({ kind: "silent" }));
  });
}

const isSilence = ({ code }: NodeJS.ErrnoException): boolean =>
  ["ECONNREFUSED", "EADDRNOTAVAIL", "EHOSTUNREACH", "ENETUNREACH", "EAFNOSUPPORT"].includes(code ?? "");
