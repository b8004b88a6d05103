import { allRoutes } from "@starform/contract/all-routes";
import { projectPermissions, workspacePermissions } from "@starform/contract/permissions";
import type { Route } from "@starform/contract/route";
import swagger from "@fastify/swagger";
import { faultCodes } from "@starform/std/fault";
import type { FastifyInstance } from "fastify";
import { jsonSchemaTransform, jsonSchemaTransformObject } from "fastify-type-provider-zod";
import { z } from "zod";

/** Must be registered before the routes it describes. */
export async function openApi(app: FastifyInstance, publicUrl: string): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: "3.1.0",
      info: {
        title: "Starform",
        version: "1",
        description: "The Starform API. Errors are RFC 9457 problem documents.",
      },
      servers: [{ url: publicUrl }],
      components: { securitySchemes: { token: { type: "http", scheme: "bearer" } } },
      security: [{ token: [] }],
    },
    transform: jsonSchemaTransform,
    transformObject: jsonSchemaTransformObject,
  });
  let page: string | undefined;
  app.get("/openapi.json", { schema: { hide: true } }, () => app.swagger());
  app.get("/docs", { schema: { hide: true } }, (_request, reply) =>
    reply.type("text/html; charset=utf-8").send((page ??= referencePage(publicUrl))),
  );
}

const escape = (text: string): string =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");

/** The reference a person reads, made from the same routes the server serves. */
export function referencePage(publicUrl: string): string {
  const areas = [...Map.groupBy(allRoutes, (route) => route.area)];
  const nav = areas.map(([area]) => `<a href="#${area}">${escape(area)}</a>`).join("");
  const sections = areas
    .map(
      ([area, routes]) =>
        `<section id="${area}"><h2>${escape(area)}</h2>${routes.map(article).join("")}</section>`,
    )
    .join("");
  return `<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1"><title>Starform API</title><style>${style}</style>
<nav><b>Starform API</b>${nav}<a href="#roles">roles</a><a href="#problems">problems</a></nav><main>
<h1>Starform API</h1><p>Base address <code>${escape(publicUrl)}</code>. Send <code>Authorization: Bearer &lt;token&gt;</code>; make a token with <code>starform tokens create</code>. The machine-readable form is <a href="/openapi.json">/openapi.json</a> (OpenAPI 3.1). Lists are paged: hand <code>nextCursor</code> back as <code>cursor</code>. POSTs that create take an <code>Idempotency-Key</code> of at most 255 characters: a repeat within a day is given the first answer and creates nothing. Where a key is not looked at, the route says what a repeat does.</p>
${sections}${roles()}${problems()}</main></html>`;
}

function article(route: Route): string {
  const parts = [
    ["path", route.params],
    ["query", route.query],
    ["body", route.body],
    [`answer ${route.status}${route.form === "stream" ? ", one JSON object a line" : ""}`, route.response],
  ] as const;
  const schemas = parts
    .map(([name, schema]) =>
      schema
        ? `<details><summary>${name}</summary><pre>${escape(JSON.stringify(jsonSchemaOf(schema, name), null, 2))}</pre></details>`
        : "",
    )
    .join("");
  return `<article id="${route.id}"><h3><span>${route.method}</span> <code>${escape(route.path)}</code></h3><p>${escape(route.summary)}</p>${keyOf(route)}${schemas}</article>`;
}

const keyOf = ({ isIdempotent, unkeyed }: Route): string =>
  isIdempotent
    ? "<p>Takes an <code>Idempotency-Key</code>.</p>"
    : unkeyed
      ? `<p>An <code>Idempotency-Key</code> is not looked at. ${escape(unkeyed)}</p>`
      : "";

function jsonSchemaOf(schema: z.ZodType, part: string): unknown {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, {
    io: part.startsWith("answer") ? "output" : "input",
    unrepresentable: "any",
  });
  return rest;
}

function roles(): string {
  const workspace = Object.entries(workspacePermissions).map(
    ([permission, held]) =>
      `<tr><td><code>${permission}</code></td><td>${held.join(", ")}</td><td></td></tr>`,
  );
  const project = Object.entries(projectPermissions).map(
    ([permission, held]) =>
      `<tr><td><code>${permission}</code></td><td>${held.open.join(", ")}</td><td>${held.protected.join(", ")}</td></tr>`,
  );
  return `<section id="roles"><h2>roles</h2><table><tr><th>permission</th><th>roles</th><th>in protected environments</th></tr>${workspace.join("")}${project.join("")}</table></section>`;
}

const problems = (): string =>
  `<section id="problems"><h2>problems</h2><table><tr><th>code</th><th>status</th></tr>${Object.entries(
    faultCodes,
  )
    .map(([code, status]) => `<tr><td><code>${code}</code></td><td>${status}</td></tr>`)
    .join("")}</table></section>`;

const style = `:root{color-scheme:light dark;--line:light-dark(#e3e5ea,#2b2f38);--dim:light-dark(#667,#99a)}body{margin:0;font:15px/1.55 system-ui,sans-serif;display:grid;grid-template-columns:13rem minmax(0,1fr);background:light-dark(#fff,#101218);color:light-dark(#15171c,#e8eaf0)}nav{position:sticky;top:0;height:100vh;overflow:auto;padding:1.5rem 1rem;display:flex;flex-direction:column;gap:.4rem;border-right:1px solid var(--line);box-sizing:border-box}a{color:light-dark(#3a49d6,#9aa5ff);text-decoration:none}main{padding:1.5rem 2rem;max-width:60rem}h2{text-transform:capitalize;margin-top:2.5rem}article{border:1px solid var(--line);border-radius:8px;padding:.8rem 1rem;margin:.8rem 0}h3{margin:0;font-size:1rem;overflow-wrap:anywhere}h3 span{font:600 .75rem ui-monospace,monospace;border:1px solid var(--line);border-radius:4px;padding:.1rem .4rem}p{margin:.4rem 0}summary{cursor:pointer;color:var(--dim)}pre{overflow:auto;font-size:.8rem}td,th{text-align:left;padding:.25rem .8rem .25rem 0;border-bottom:1px solid var(--line);vertical-align:top}@media(max-width:700px){body{display:block}nav{position:static;height:auto;flex-flow:row wrap;border:0}main{padding:1rem}}`;
