import express from "express";

const app = express();
app.get("/", (_request, response) => response.type("text").send("hello from express\n"));
app.get("/healthz", (_request, response) => response.type("text").send("ok\n"));

const server = app.listen(Number(process.env.PORT ?? 3000), "0.0.0.0", () => console.log(`listening on ${server.address().port}`));
process.once("SIGTERM", () => {
  server.close(() => process.exit(0));
  server.closeIdleConnections();
});
