import { once } from "node:events";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

const packet = (text: string): string => (text.length + 4).toString(16).padStart(4, "0") + text;
const refsOf = (round: number): string =>
  Array.from({ length: 500 }, (_, at) =>
    packet(`${"1".repeat(40)} refs/heads/${"b".repeat(80)}-${round}-${at}\n`),
  ).join("");

/** A Git server that never stops naming branches, by one version of the protocol or the other. */
export async function endlessRefs(protocol: number) {
  let sent = 0;
  const nameOnAndOn = (response: ServerResponse): void => {
    for (let round = 0; !response.destroyed; round += 1) {
      const refs = refsOf(sent + round);
      sent += refs.length;
      if (!response.write(refs)) return void response.once("drain", () => nameOnAndOn(response));
    }
  };
  const server = createServer((request, response) => {
    const isAsked = request.method === "POST";
    response.writeHead(200, {
      "content-type": `application/x-git-upload-pack-${isAsked ? "result" : "advertisement"}`,
    });
    request.resume();
    if (isAsked) return nameOnAndOn(response);
    response.write(`${packet("# service=git-upload-pack\n")}0000`);
    if (protocol === 2)
      return void response.end(
        `${packet("version 2\n")}${packet("ls-refs\n")}${packet("fetch=shallow\n")}${packet("object-format=sha1\n")}0000`,
      );
    response.write(packet(`${"1".repeat(40)} HEAD\0shallow object-format=sha1\n`));
    nameOnAndOn(response);
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/app.git`,
    sentBytes: () => sent,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
