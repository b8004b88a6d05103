import { createServer } from "node:http";

const api = process.env.API_URL;
if (!api) {
  console.error("API_URL is not set: give this service the variable API_URL=${{api.STARFORM_PRIVATE_URL}}");
  process.exit(1);
}

const server = createServer(async (_request, response) => {
  try {
    const answer = await fetch(api, { signal: AbortSignal.timeout(5000) });
    const { greeting } = await answer.json();
    response.end(`hello from web, and ${greeting}\n`);
  } catch (error) {
    response.statusCode = 502;
    response.end(`the api does not answer: ${error.message}\n`);
  }
});
server.listen(Number(process.env.PORT ?? 3000), "0.0.0.0", () => console.log(`listening on ${server.address().port}`));
process.once("SIGTERM", () => {
  server.close(() => process.exit(0));
  server.closeIdleConnections();
});
