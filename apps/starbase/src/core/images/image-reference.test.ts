import { expect, test } from "vitest";
import { pinned, readReference } from "./image-reference.ts";

const digest = `sha256:${"a".repeat(64)}`;

test.each([
  ["nginx", { host: "docker.io", path: "library/nginx", tag: undefined, digest: undefined }],
  ["nginx:1.29", { host: "docker.io", path: "library/nginx", tag: "1.29", digest: undefined }],
  ["acme/web", { host: "docker.io", path: "acme/web", tag: undefined, digest: undefined }],
  ["index.docker.io/acme/web:a", { host: "docker.io", path: "acme/web", tag: "a", digest: undefined }],
  ["ghcr.io/acme/web", { host: "ghcr.io", path: "acme/web", tag: undefined, digest: undefined }],
  ["localhost/web:b", { host: "localhost", path: "web", tag: "b", digest: undefined }],
  ["127.0.0.1:5000/a/b/c:d", { host: "127.0.0.1:5000", path: "a/b/c", tag: "d", digest: undefined }],
  [`r.example:5000/web@${digest}`, { host: "r.example:5000", path: "web", tag: undefined, digest }],
  [`web:1@${digest}`, { host: "docker.io", path: "library/web", tag: "1", digest }],
])("reads %s as Docker does", (image, reference) => {
  expect(readReference(image)).toEqual(reference);
});

test.each([
  ["nginx:1.29", `nginx@${digest}`],
  ["r.example:5000/a/b", `r.example:5000/a/b@${digest}`],
  ["r.example:5000/a/b:c", `r.example:5000/a/b@${digest}`],
  [`web:1@sha256:${"b".repeat(64)}`, `web@${digest}`],
])("puts the digest in the place of the tag of %s", (image, name) => {
  expect(pinned(image, digest)).toBe(name);
});
