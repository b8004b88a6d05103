import Fastify from "fastify";

const app = Fastify({ logger: true, forceCloseConnections: "idle" });
app.get("/", async () => "hello from fastify\n");
app.get("/healthz", async () => ({ ok: true }));

await app.listen({ port: Number(process.env.PORT ?? 3000), host: "0.0.0.0" });
process.once("SIGTERM", async () => {
  await app.close();
  process.exit(0);
});
