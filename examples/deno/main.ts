const server = Deno.serve(
  { port: Number(Deno.env.get("PORT") ?? 8000), hostname: "0.0.0.0" },
  () => new Response("hello from deno\n"),
);
Deno.addSignalListener("SIGTERM", () => server.shutdown().then(() => Deno.exit(0)));
