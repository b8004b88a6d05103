// Serves a folder of static files: node serve.mjs <folder> [--spa]. Listens on 0.0.0.0:$PORT. No dependencies.
import { createReadStream } from "node:fs";
import { realpath, stat } from "node:fs/promises";
import { createServer } from "node:http";
import path from "node:path";

const types = {
  avif: "image/avif",
  bin: "application/octet-stream",
  css: "text/css; charset=utf-8",
  csv: "text/csv; charset=utf-8",
  gif: "image/gif",
  htm: "text/html; charset=utf-8",
  html: "text/html; charset=utf-8",
  ico: "image/x-icon",
  jpeg: "image/jpeg",
  jpg: "image/jpeg",
  js: "text/javascript; charset=utf-8",
  json: "application/json; charset=utf-8",
  map: "application/json; charset=utf-8",
  md: "text/markdown; charset=utf-8",
  mjs: "text/javascript; charset=utf-8",
  mp3: "audio/mpeg",
  mp4: "video/mp4",
  ogg: "audio/ogg",
  otf: "font/otf",
  pdf: "application/pdf",
  png: "image/png",
  svg: "image/svg+xml; charset=utf-8",
  ttf: "font/ttf",
  txt: "text/plain; charset=utf-8",
  wasm: "application/wasm",
  webm: "video/webm",
  webmanifest: "application/manifest+json; charset=utf-8",
  webp: "image/webp",
  woff: "font/woff",
  woff2: "font/woff2",
  xml: "application/xml; charset=utf-8",
  zip: "application/zip",
};
const encodings = { br: ".br", gzip: ".gz" };
/** Files that say how to build and deploy are not part of the site when the site is the repository's root. */
const hidden = new Set(["starform.json", "railpack.json", "Staticfile", "Procfile", "Dockerfile"]);

const [folder = ".", ...flags] = process.argv.slice(2);
const root = await realpath(folder);
const isSpa = flags.includes("--spa");

const server = createServer((request, response) => {
  serve(request, response).catch((error) => {
    console.error(`${request.method} ${request.url}: ${error instanceof Error ? error.message : error}`);
    if (response.headersSent) response.destroy();
    else answerText(response, 500, "Internal server error\n");
  });
});

async function serve(request, response) {
  if (request.method !== "GET" && request.method !== "HEAD") {
    response.setHeader("allow", "GET, HEAD");
    return answerText(response, 405, "Only GET and HEAD are served here\n");
  }
  const segments = segmentsOf(request.url ?? "/");
  if (!segments) return answerText(response, 400, "Malformed path\n");
  const found = await find(segments);
  if (found?.redirect) return redirectToFolder(request, response);
  if (found) return sendFile(request, response, found, 200);
  const acceptsPage = path.extname(segments.at(-1) ?? "") === "";
  const fallback = isSpa && acceptsPage ? await fileAt(["index.html"]) : undefined;
  if (fallback) return sendFile(request, response, fallback, 200);
  const page = await fileAt(["404.html"]);
  if (page) return sendFile(request, response, page, 404);
  return answerText(response, 404, "Not found\n");
}

/** The names of a path, decoded once; undefined when it is malformed or tries to leave the folder. */
function segmentsOf(url) {
  try {
    const segments = url.split(/[?#]/, 1)[0].split("/").map(decodeURIComponent);
    const isUnsafe = (name) => name === ".." || name === "." || /[/\\\0]/.test(name);
    return segments.some(isUnsafe) ? undefined : segments;
  } catch {
    return undefined;
  }
}

async function find(segments) {
  const names = segments.filter((name) => name !== "");
  const wantsFolder = segments.at(-1) === "";
  if (!wantsFolder) {
    const exact = await fileAt(names);
    if (exact) return exact;
    const page = names.length > 0 ? await fileAt([...names.slice(0, -1), `${names.at(-1)}.html`]) : undefined;
    if (page) return page;
  }
  const index = await fileAt([...names, "index.html"]);
  return index && !wantsFolder && names.length > 0 ? { redirect: true } : index;
}

/** A regular file inside the folder, links followed only while they stay inside; undefined otherwise. */
async function fileAt(names) {
  if (names.some((name) => name.startsWith(".") && name !== ".well-known")) return undefined;
  if (names.length === 1 && hidden.has(names[0])) return undefined;
  try {
    const real = await realpath(path.join(root, ...names));
    if (real !== root && !real.startsWith(root.endsWith(path.sep) ? root : root + path.sep)) return undefined;
    const stats = await stat(real);
    return stats.isFile() ? { real, stats, name: names.at(-1) } : undefined;
  } catch {
    return undefined;
  }
}

function redirectToFolder(request, response) {
  const [before, query] = splitQuery(request.url);
  // One leading slash only: "//other.example/x" would send the browser to another host.
  response.setHeader("location", `/${before.replace(/^[/\\]+/, "")}/${query}`);
  answerText(response, 308, "Moved\n");
}

function splitQuery(url) {
  const at = url.indexOf("?");
  return at < 0 ? [url, ""] : [url.slice(0, at), url.slice(at)];
}

async function sendFile(request, response, file, status) {
  const type = types[path.extname(file.name).slice(1).toLowerCase()] ?? types.bin;
  const chosen = status === 200 && request.headers.range ? file : await compressed(request, file, response);
  const tag = `W/"${chosen.stats.size.toString(16)}-${Math.floor(chosen.stats.mtimeMs).toString(16)}${chosen.encoding ? `-${chosen.encoding}` : ""}"`;
  response.setHeader("content-type", type);
  response.setHeader("x-content-type-options", "nosniff");
  response.setHeader("etag", tag);
  response.setHeader("last-modified", chosen.stats.mtime.toUTCString());
  response.setHeader("cache-control", cacheControl(file));
  response.setHeader("accept-ranges", "bytes");
  if (status === 200 && isFresh(request, tag, chosen.stats)) return response.writeHead(304).end();
  const range = status === 200 ? rangeOf(request, tag, chosen.stats.size) : undefined;
  if (range === "unsatisfiable") {
    response.setHeader("content-range", `bytes */${chosen.stats.size}`);
    return answerText(response, 416, "Range not satisfiable\n");
  }
  const { start, end } = range ?? { start: 0, end: chosen.stats.size - 1 };
  if (range) response.setHeader("content-range", `bytes ${start}-${end}/${chosen.stats.size}`);
  if (chosen.encoding) response.setHeader("content-encoding", chosen.encoding);
  response.setHeader("content-length", String(end - start + 1));
  response.writeHead(range ? 206 : status);
  if (request.method === "HEAD" || end < start) return response.end();
  const body = createReadStream(chosen.real, { start, end });
  response.on("close", () => body.destroy());
  body.on("error", () => response.destroy());
  body.pipe(response);
}

/** Names with a content hash never change; everything else is asked for again. */
function cacheControl({ name }) {
  return /[.-](?=[A-Za-z0-9_-]*\d)[A-Za-z0-9_-]{8,}\.(?!html?$)\w+$/.test(name)
    ? "public, max-age=31536000, immutable"
    : "public, max-age=0, must-revalidate";
}

/** A file compressed beforehand, if the build left one beside it and the browser takes it. */
async function compressed(request, file, response) {
  const accepted = new Map(
    (request.headers["accept-encoding"] ?? "").split(",").map((part) => {
      const [name, ...parameters] = part
        .trim()
        .toLowerCase()
        .split(/\s*;\s*/);
      return [name, !parameters.some((parameter) => /^q=0(\.0*)?$/.test(parameter))];
    }),
  );
  for (const [encoding, suffix] of Object.entries(encodings)) {
    const real = file.real + suffix;
    const stats = await stat(real).catch(() => undefined);
    if (!stats?.isFile() || stats.mtimeMs < file.stats.mtimeMs - 1000) continue;
    response.setHeader("vary", "accept-encoding");
    if (accepted.get(encoding)) return { ...file, real, stats, encoding };
  }
  return file;
}

function isFresh(request, tag, stats) {
  const tags = request.headers["if-none-match"];
  if (tags !== undefined) return tags === "*" || tags.split(",").some((one) => one.trim() === tag);
  const since = Date.parse(request.headers["if-modified-since"] ?? "");
  return !Number.isNaN(since) && Math.floor(stats.mtimeMs / 1000) * 1000 <= since;
}

/** One byte range; several at once, or one for an older file, are answered with the whole file. */
function rangeOf(request, tag, size) {
  const match = /^bytes=(\d*)-(\d*)$/.exec(request.headers.range ?? "");
  const condition = request.headers["if-range"];
  if (!match || (match[1] === "" && match[2] === "") || (condition !== undefined && condition !== tag))
    return undefined;
  const start = match[1] === "" ? Math.max(0, size - Number(match[2])) : Number(match[1]);
  const end = match[1] === "" || match[2] === "" ? size - 1 : Math.min(Number(match[2]), size - 1);
  return start >= size || start > end ? "unsatisfiable" : { start, end };
}

function answerText(response, status, text) {
  response.setHeader("content-type", "text/plain; charset=utf-8");
  response.setHeader("content-length", String(Buffer.byteLength(text)));
  response.writeHead(status).end(text);
}

for (const signal of ["SIGTERM", "SIGINT"]) {
  process.once(signal, () => {
    server.close(() => process.exit(0));
    server.closeIdleConnections();
  });
}

const port = Number(process.env.PORT ?? 8080);
server.listen(port, "0.0.0.0", () => console.log(`serving ${folder} on port ${server.address().port}`));
