/** What a story deploys: a web app without a dependency, quick to build and to start. */
export type StoryApp = {
  /** The first word of every answer. */
  readonly version: string;
  /** Exits with this code, and a sentence, before it listens. */
  readonly exitsWith?: number;
};

/**
 * The files of the app. It answers `GET /` and `POST /` with `<version> <GREETING> <what was sent>`, `/instance` with a
 * word of its own, `/digest/<NAME>` with a variable's SHA-256; `/events` is a stream and an upgrade an echo that both
 * say goodbye when the app is asked to end. Each path it is asked for is a line of its log.
 */
export const storyApp = (app: StoryApp): Record<string, string> => ({
  Procfile: "web: node server.mjs\n",
  "server.mjs": serverOf(app),
});

const serverOf = ({
  version,
  exitsWith,
}: StoryApp): string => `import { createHash, randomUUID } from "node:crypto";
import { createServer } from "node:http";

const version = ${JSON.stringify(version)};
${exitsWith === undefined ? "" : `console.log("the configuration is missing");\nprocess.exit(${exitsWith});\n`}
const instance = randomUUID();
const greeting = process.env.GREETING ?? "nobody";
const streams = new Set();
const digest = (name) => createHash("sha256").update(process.env[name] ?? "").digest("hex");

const server = createServer(async (request, response) => {
  const { method, url } = request;
  if (url === "/events") return stream(response);
  if (url === "/instance") return response.end(instance);
  if (url.startsWith("/digest/")) return response.end(digest(url.slice(8)));
  let sent = "";
  for await (const chunk of request) sent += chunk;
  if (url !== "/") console.log(method + " " + url);
  response.end([version, greeting, sent].join(" "));
});

function stream(response) {
  response.writeHead(200, { "content-type": "text/event-stream" });
  response.write("data: " + version + "\\n\\n");
  const timer = setInterval(() => response.write("data: " + version + "\\n\\n"), 100);
  streams.add(() => {
    clearInterval(timer);
    response.end("data: goodbye\\n\\n");
  });
}

server.on("upgrade", (request, socket) => {
  socket.on("error", () => undefined);
  socket.write("HTTP/1.1 101 Switching Protocols\\r\\nconnection: upgrade\\r\\nupgrade: echo\\r\\n\\r\\n");
  socket.on("data", (bytes) => socket.write(version + " " + bytes));
  streams.add(() => socket.end("goodbye"));
});

server.listen(Number(process.env.PORT), "0.0.0.0", () => console.log(version + " listens"));
process.once("SIGTERM", () => {
  for (const end of streams) end();
  server.close(() => process.exit(0));
  server.closeIdleConnections();
});
`;
