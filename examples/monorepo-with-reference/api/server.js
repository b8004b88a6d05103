import { createServer } from "node:http";

const server = createServer((_request, response) => {
  response.setHeader("content-type", "application/json");
  response.end(JSON.stringify({ greeting: "hello from api" }));
});
server.listen(Number(process.env.PORT ?? 3000), "0.0.0.0", () => console.log(`listening on ${server.address().port}`));
process.once("SIGTERM", () => {
  server.close(() => process.exit(0));
  server.closeIdleConnections();
});
