import {
  apply,
  get,
  jsonPatch,
  merge,
  post,
  put,
  remove,
  strategic,
  type Asking,
  type Chapter,
} from "../request.ts";

type Own = Record<string, unknown>;
const dry = { query: "dryRun=All" };
const strict = { query: "dryRun=All&fieldValidation=Strict" };
const route = (spec: Own = {}, own: Own = {}, name = "web") => ({
  apiVersion: "gateway.networking.k8s.io/v1",
  kind: "HTTPRoute",
  metadata: { name },
  spec: {
    parentRefs: [{ name: "starform" }],
    hostnames: ["web.example.com"],
    rules: [{ backendRefs: [{ name: "web", port: 80 }] }],
    ...spec,
  },
  ...own,
});
const gateway = (listener: Own = {}, own: Own = {}) => ({
  apiVersion: "gateway.networking.k8s.io/v1",
  kind: "Gateway",
  metadata: { name: "g" },
  spec: {
    gatewayClassName: "none",
    listeners: [{ name: "http", protocol: "HTTP", port: 80, ...listener }],
    ...own,
  },
});
const rule = (own: Own): Own => ({ rules: [{ backendRefs: [{ name: "web", port: 80 }], ...own }] });
const match = (own: Own) => rule({ matches: [own] });

const validated: readonly Asking[] = [
  post("httproutes", route(), dry),
  ...[
    { hostnames: ["no host!"] },
    { hostnames: ["*.example.com", "a..b"] },
    { hostnames: Array.from({ length: 17 }, (_, at) => `h${at}.example.com`) },
    { hostnames: "web.example.com" },
    { hostnames: [1] },
    { parentRefs: [{}] },
    { parentRefs: [{ name: "" }] },
    { parentRefs: [{ name: "a" }, { name: "a" }] },
    { parentRefs: [{ name: "a", port: 0 }] },
    { parentRefs: null },
    { rules: [] },
    { rules: [{ backendRefs: [{ name: "web" }] }] },
    { rules: [{ backendRefs: [{ name: "web", port: 80, weight: -1 }] }] },
    { rules: [{ backendRefs: [{ name: "web", port: "80" }] }] },
    match({ path: { type: "PathPrefix", value: "nopath" } }),
    match({ path: { type: "PathPrefix", value: "/a//b" } }),
    match({ path: { type: "Odd", value: "/" } }),
    match({ path: { value: "/" + "x".repeat(1_024) } }),
    match({ method: "FETCH" }),
    match({ headers: [{ name: "a b", value: "c" }] }),
    match({
      headers: [
        { name: "a", value: "c" },
        { name: "a", value: "d" },
      ],
    }),
    match({}),
    rule({ timeouts: { request: "10s" } }),
    rule({ timeouts: { request: "ten" } }),
    rule({ timeouts: { request: "1s", backendRequest: "2s" } }),
    rule({ filters: [{ type: "RequestRedirect" }] }),
    rule({ filters: [{ type: "RequestRedirect", requestRedirect: { statusCode: 301 } }] }),
    rule({ filters: [{ type: "URLRewrite", requestHeaderModifier: {} }] }),
    { unheard: 1 },
  ].map((spec) => post("httproutes", route(spec), dry)),
  post("httproutes", route({ unheard: 1, rules: [{ alsoUnheard: 2 }] }), strict),
  post("httproutes", { ...route(), spec: undefined }, dry),
  post("httproutes", { ...route(), spec: "text" }, dry),
  post("httproutes", { ...route(), spec: null }, dry),
  post("httproutes", { ...route(), kind: "Gateway" }),
  post("httproutes", { ...route(), apiVersion: "gateway.networking.k8s.io/v1beta1" }, dry),
  post("httproutes", { ...route(), kind: undefined }),
  post("httproutes", route({}, {}, "A_b")),
  post("httproutes", route({}, { metadata: { name: "web", labels: { "a b": "c" } } })),
  post("httproutes", route({}, { metadata: { name: "web", unheard: 1 } }), strict),
  post("httproutes", route({}, { metadata: { name: "web", labels: { a: 1 } } }), dry),
  post("httproutes", route({}, { status: { parents: [] } }), dry),
  post("gateways", gateway(), dry),
  post("gateways", gateway({ port: 0 }), dry),
  post("gateways", gateway({ port: 70_000 }), dry),
  post("gateways", gateway({ protocol: "HTTPS" }), dry),
  post("gateways", gateway({ protocol: "HTTPS", tls: { mode: "Terminate" } }), dry),
  post("gateways", gateway({ tls: {} }), dry),
  post("gateways", gateway({ allowedRoutes: { namespaces: { from: "Odd" } } }), dry),
  post("gateways", gateway({}, { listeners: [] }), dry),
  post(
    "gateways",
    gateway({}, { listeners: [1, 2].map(() => ({ name: "http", protocol: "HTTP", port: 80 })) }),
    dry,
  ),
  post(
    "gateways",
    gateway({}, { listeners: ["a", "b"].map((name) => ({ name, protocol: "HTTP", port: 80 })) }),
    dry,
  ),
  post("gateways", gateway({}, { gatewayClassName: "" }), dry),
];

const path = "httproutes/web";
const living: readonly Asking[] = [
  post("httproutes", route(), { as: "web" }),
  post("httproutes", route()),
  put(path, route({ hostnames: ["b.example.com"] })),
  put(
    path,
    route({ hostnames: ["b.example.com"] }, { metadata: { name: "web", resourceVersion: "{web.rv}" } }),
  ),
  put(
    path,
    route({ hostnames: ["c.example.com"] }, { metadata: { name: "web", resourceVersion: "{web.rv}" } }),
  ),
  merge(path, { metadata: { labels: { a: "b" } } }),
  merge(path, { spec: { hostnames: ["d.example.com"] } }),
  merge(path, { spec: { hostnames: ["no host!"] } }),
  merge(path, { spec: { unheard: 1 } }),
  merge(path, { spec: { unheard: 1 } }, { query: "fieldValidation=Strict" }),
  merge(path, { status: { parents: [] } }),
  merge(`${path}/status`, { spec: { hostnames: ["e.example.com"] } }),
  merge(`${path}/status`, {
    status: { parents: [{ controllerName: "example.com/x", parentRef: { name: "starform" } }] },
  }),
  merge(`${path}/status`, { status: { parents: [{ controllerName: "x" }] } }),
  strategic(path, { spec: {} }),
  jsonPatch(path, [{ op: "add", path: "/spec/hostnames/-", value: "f.example.com" }]),
  jsonPatch(path, [{ op: "remove", path: "/spec/hostnames/9" }]),
  get(`${path}/scale`),
  apply(path, route({ hostnames: ["g.example.com"] }), "one"),
  apply(path, route({ hostnames: ["g.example.com"] }), "one", { query: "force=true" }),
  apply(path, route({ hostnames: ["h.example.com"] }), "two"),
  apply(path, { ...route(), spec: {} }, "two"),
  apply(path, route({ hostnames: [7] }), "one"),
  apply(path, route({ unheard: 1 }), "one"),
  apply(path, route({ unheard: 1 }), "one", { query: "fieldValidation=Strict" }),
  apply(path, route({ rules: [{ name: "a", backendRefs: [{ name: "web", port: 81 }] }] }), "one", {
    query: "force=true",
  }),
  apply("httproutes/other", route({}, {}, "other"), "one"),
  get(path),
  get("httproutes", "limit=1", { as: "list" }),
  get("httproutes", "limit=1&continue={list.continue}"),
  get("httproutes", "fieldSelector=metadata.name%3Dother"),
  get("httproutes", "fieldSelector=spec.x%3Dother"),
  remove(path, { apiVersion: "v1", kind: "DeleteOptions", preconditions: { uid: "0-1-2" } }),
  remove(path),
  get(path),
  remove("httproutes", undefined, { query: "fieldSelector=metadata.name%3Dother" }),
];

export const customChapters: readonly Chapter[] = [
  { title: "what a route may be", requests: validated },
  { title: "a route's life", requests: living },
];
