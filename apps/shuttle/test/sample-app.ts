/** The app that the cluster suites deploy: plain Node, steered by its variables. Engines make an image of these files. */
export const sampleApp: Record<string, string> = {
  "server.mjs": `
import { createServer } from "node:http";
import { writeFileSync } from "node:fs";
const { PORT, VERSION = "1", LISTEN, HEALTH = "200", MODE, SLOW = "0" } = process.env;
console.log("starting", VERSION);
if (MODE === "crash") { console.error("Error: the database is missing"); process.exit(3); }
if (MODE === "killed") process.kill(process.pid, "SIGSEGV");
if (MODE === "leak") { const kept = []; for (;;) kept.push(Buffer.alloc(8 << 20, 1)); }
let health = Number(HEALTH);
const server = createServer((request, response) => {
  if (request.url === "/healthz") { response.statusCode = health; return response.end("health"); }
  if (request.url === "/sick") { health = 500; return response.end("sick"); }
  if (request.url === "/exit") { response.end("bye"); console.error("Error: asked to exit"); return setTimeout(() => process.exit(1), 20); }
  if (request.url === "/env") return response.end(JSON.stringify(process.env));
  if (request.url === "/write") { writeFileSync("/tmp/x", "x"); try { writeFileSync("written", "x"); return response.end("wrote"); } catch (e) { return response.end(String(e)); } }
  setTimeout(() => response.end("version " + VERSION + " of " + process.env.STARFORM_INSTANCE_ID), Number(SLOW));
});
process.on("SIGTERM", () => {
  if (MODE === "deaf") return;
  console.log("stopping", VERSION);
  server.close(() => process.exit(0));
  server.closeIdleConnections();
});
if (MODE !== "silent") server.listen(Number(LISTEN ?? PORT), process.env.BIND ?? "0.0.0.0", () => console.log("listening", VERSION));
else setInterval(() => undefined, 1000);
`,
  "worker.mjs": `
let n = 0;
console.log("worker", process.env.VERSION ?? "1");
setInterval(() => console.log("tick", n++), 200);
process.on("SIGTERM", () => { console.log("worker done"); process.exit(0); });
`,
  "job.mjs": `
console.log("job begins");
setTimeout(() => { console.log("job ends"); process.exit(Number(process.env.CODE ?? 0)); }, Number(process.env.TAKES ?? 100));
`,
};
