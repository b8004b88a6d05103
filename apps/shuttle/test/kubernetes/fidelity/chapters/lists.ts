import { get, merge, post, remove, type Asking, type Chapter } from "../request.ts";

const map = (name: string, labels: object) => ({
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: { name, labels },
});
const maps = (query: string, own: Parameters<typeof get>[2] = {}) => get("configmaps", query, own);
const selector = (text: string): Asking => maps(`labelSelector=${encodeURIComponent(text)}`);
const field = (text: string): Asking => maps(`fieldSelector=${encodeURIComponent(text)}`);
const set = "labelSelector=set";
const partial = { accept: "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1" };

const listing: readonly Asking[] = [
  ...["l0", "l1", "l2", "l3", "l4"].map((name, at) =>
    post("configmaps", map(name, { set: "l", at: String(at), ...(at % 2 ? { odd: "" } : {}) })),
  ),
  post("configmaps", map("other", {})),
  ...[
    "set=l",
    "set==l,at!=2",
    "set!=l,set",
    "set,!odd",
    "at in (1, 2,9)",
    "at notin (1,2),set",
    "at>2,set",
    "at<1",
    "at>x",
    "a b",
    "=x",
    "set=l=m",
    "set in ()",
    "set in (l",
    "!",
    "a/b/c=1",
    "set=no good!",
    ",",
    "set=",
    "odd=",
  ].map(selector),
  ...[
    "metadata.name=l1",
    "metadata.name!=l1,metadata.name=l2",
    "metadata.namespace={ns},metadata.name=l0",
    "metadata.namespace=x",
    "data.k=1",
    "status.phase=Running",
    "metadata.name",
    "metadata.name=a,",
  ].map(field),
  maps(`${set}&limit=2`, { as: "page" }),
  maps(`${set}&limit=2&continue={page.continue}`, { as: "page2" }),
  maps(`${set}&limit=2&continue={page2.continue}`),
  maps(`${set}&limit=0`),
  maps(`${set}&limit=-1`),
  maps(`${set}&limit=x`),
  maps(`${set}&limit=2&continue=broken`),
  maps(`${set}&limit=2&continue={page.continue}&resourceVersion=1`),
  maps(`${set}&resourceVersion={page.rv}&resourceVersionMatch=Exact`),
  maps(`${set}&resourceVersion={page.rv}&resourceVersionMatch=NotOlderThan`),
  maps(`${set}&resourceVersionMatch=Exact`),
  maps(`${set}&resourceVersion=0&resourceVersionMatch=Exact`),
  maps(`${set}&resourceVersion=1&resourceVersionMatch=Fuzzy`),
  maps(`${set}&resourceVersion=abc`),
  maps(`${set}&limit=1`, { headers: partial }),
  maps(`${set}&sendInitialEvents=true`),
  maps(`${set}&timeoutSeconds=x`),
  get("pods", "fieldSelector=status.phase%3DRunning"),
  get("pods", "fieldSelector=spec.nodeName%3Dnone"),
  get("pods", "fieldSelector=spec.restartPolicy%3DAlways"),
  get("pods", "fieldSelector=spec.image%3Dx"),
  get("/api/v1/events", "fieldSelector=involvedObject.name%3Dnone"),
  get("secrets", "fieldSelector=type%3DOpaque"),
  get("deployments", "fieldSelector=spec.replicas%3D1"),
  get("/api/v1/namespaces", "fieldSelector=metadata.name%3D{ns}"),
  get("/api/v1/namespaces", "fieldSelector=status.phase%3DActive,metadata.name%3D{ns}"),
  get("/apis/apps/v1/deployments", "labelSelector=none%3Dnone"),
  get("/apis/apps/v2/deployments"),
  get("/apis/none.io/v1/things"),
  get("unheards"),
  get("configmaps/l0/status"),
  get("configmaps/l0/unheard"),
];

const following: readonly Asking[] = [
  post("configmaps", map("w0", { seen: "yes" }), { as: "begin" }),
  merge("configmaps/w0", { data: { a: "1" } }),
  post("configmaps", map("w1", { seen: "no" })),
  merge("configmaps/w1", { metadata: { labels: { seen: "yes" } } }),
  merge("configmaps/w1", { data: { b: "1" } }),
  merge("configmaps/w1", { metadata: { labels: { seen: "no" } } }, { as: "middle" }),
  remove("configmaps/w0"),
  post("configmaps", map("w0", { seen: "yes" })),
  maps("watch=true&labelSelector=seen%3Dyes&resourceVersion={begin.rv}&timeoutSeconds=5", { events: 6 }),
  maps("watch=1&labelSelector=seen&resourceVersion={middle.rv}&timeoutSeconds=5", { events: 2 }),
  maps("watch=true&fieldSelector=metadata.name%3Dw1&resourceVersion={begin.rv}&timeoutSeconds=5", {
    events: 4,
  }),
  maps("watch=true&labelSelector=seen&resourceVersion={begin.rv}&timeoutSeconds=5", {
    events: 2,
    headers: { accept: "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1" },
  }),
  maps("watch=true&labelSelector=seen&timeoutSeconds=5", { events: 2 }),
  maps("watch=true&labelSelector=seen&resourceVersion=0&timeoutSeconds=5", { events: 2 }),
  maps("watch=true&labelSelector=set%20in&timeoutSeconds=1"),
  maps("watch=true&resourceVersion=abc&timeoutSeconds=1"),
  maps("watch=true&resourceVersion={middle.rv}&resourceVersionMatch=Exact&timeoutSeconds=1"),
  maps("watch=true&labelSelector=seen&sendInitialEvents=true&timeoutSeconds=1"),
  maps(
    "watch=true&labelSelector=seen&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true&timeoutSeconds=5",
    { events: 3 },
  ),
  get("/api/v1/watch/namespaces/{ns}/configmaps", "labelSelector=seen&timeoutSeconds=2", { events: 2 }),
];

export const listChapters: readonly Chapter[] = [
  { title: "lists", requests: listing },
  { title: "watches", requests: following },
];
