import type { Outcome } from "./outcomes.ts";

const style = `
:root{color-scheme:light dark;--ground:#f7f7fb;--card:#fff;--ink:#17172b;--quiet:#5c5c75;--line:#e3e3ee;--accent:#5b3df5}
@media (prefers-color-scheme:dark){:root{--ground:#0d0d17;--card:#161625;--ink:#f0f0fa;--quiet:#a3a3bd;--line:#2a2a40;--accent:#a594ff}}
*{box-sizing:border-box}
body{margin:0;min-height:100vh;display:grid;place-items:center;padding:1.5rem;background:var(--ground);color:var(--ink);font:1rem/1.6 system-ui,sans-serif}
main{width:100%;max-width:38rem;padding:2.25rem;background:var(--card);border:1px solid var(--line);border-radius:14px}
.status{margin:0;color:var(--accent);font-weight:650;letter-spacing:.04em}
h1{margin:.25rem 0 1rem;font-size:1.6rem;line-height:1.25}
p{margin:0 0 1rem;overflow-wrap:anywhere}
h2{margin:1.5rem 0 .25rem;font-size:.95rem;color:var(--quiet)}
code{padding:.1em .35em;border-radius:5px;background:var(--ground);border:1px solid var(--line);font-size:.92em}
footer{margin-top:1.75rem;padding-top:1rem;border-top:1px solid var(--line);color:var(--quiet);font-size:.85rem}
`;

/** What happened and what to do next, for a person: no script, nothing loaded from elsewhere. A first deployment asks again by itself. */
export function page({ status, title, what, next, retryAfterS }: Outcome, requestId: string): string {
  const refresh =
    status === 503 && retryAfterS !== undefined && retryAfterS <= 5
      ? `<meta http-equiv="refresh" content="${retryAfterS}">`
      : "";
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1"><meta name="robots" content="noindex">${refresh}
<title>${escaped(title)}</title><style>${style}</style></head>
<body><main><p class="status">${status}</p><h1>${escaped(title)}</h1>
<p>${escaped(what)}</p>
<h2>What to do next</h2><p>${withCode(next)}</p>
<footer>Starform gateway. Request <code>${escaped(requestId)}</code></footer></main></body></html>
`;
}

const entities: Record<string, string> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};
const escaped = (text: string): string => text.replace(/[&<>"']/g, (character) => entities[character] ?? "");
const withCode = (text: string): string => escaped(text).replace(/`([^`]+)`/g, "<code>$1</code>");
