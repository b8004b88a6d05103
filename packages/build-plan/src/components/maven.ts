import { withoutXmlComments } from "../xml-comments.ts";
import type { Component, LockReader } from "./component.ts";

/** What whoever reads the list should know of a pom.xml. */
export const pomNote =
  "pom.xml says exact versions of direct dependencies at most: what these need, and what a parent, a BOM or a module names, is not listed";

/** pom.xml: its direct dependencies of a version that it says itself, or by a property of its own. A range is none. */
export const readPom: LockReader = (text) => {
  const properties = new Map<string, string>();
  const dependencies: Map<string, string>[] = [];
  readElements(withoutXmlComments(text), (path, value) => {
    const [top, section, name, field] = path;
    if (top !== "project" || section === undefined) return;
    const key = section === "properties" ? name : ["project", ...path.slice(1)].join(".");
    if (section === "dependencies" && name === "dependency") {
      if (value === undefined && path.length === 3) dependencies.push(new Map());
      if (value !== undefined && field !== undefined) dependencies.at(-1)?.set(field, value);
    } else if (key !== undefined && value !== undefined && value.length <= valueCharsMax)
      properties.set(key, value);
  });
  for (const field of ["groupId", "version"]) {
    const ofParent = properties.get(`project.parent.${field}`);
    if (ofParent && !properties.has(`project.${field}`)) properties.set(`project.${field}`, ofParent);
  }
  return dependencies.flatMap((dependency): Component[] => {
    const [group = "", artifact = "", version = ""] = ["groupId", "artifactId", "version"].map((field) =>
      resolved(dependency.get(field) ?? "", properties),
    );
    const isExact = /^[\w.+-]+$/.test(version) && !/^(?:LATEST|RELEASE)$/.test(version);
    if (!/^[\w.-]+$/.test(group) || !/^[\w.-]+$/.test(artifact) || !isExact) return [];
    const isDevelopment = dependency.get("scope") === "test" ? { isDevelopment: true } : {};
    return [{ ecosystem: "maven", name: `${group}:${artifact}`, version, ...isDevelopment }];
  });
};

const valueCharsMax = 200;
const stepsMax = 8;

/** With `${name}` replaced by properties, which may name others. */
function resolved(value: string, properties: ReadonlyMap<string, string>): string {
  let text = value;
  for (let step = 0; step < stepsMax && text.includes("${") && text.length <= valueCharsMax; step += 1)
    text = text.replace(/\$\{([^${}]+)\}/g, (whole, name: string) => properties.get(name) ?? whole);
  return text;
}

/** Deeper elements of a pom.xml say nothing of its own dependencies. */
const depthMax = 4;

/**
 * Tells of each element when it opens, without a value, and of the text before its end when it closes. Throws where an
 * element is closed that is not open.
 */
function readElements(text: string, told: (path: readonly string[], value?: string) => void): void {
  const path: string[] = [];
  let from = 0;
  for (let at = text.indexOf("<"); at !== -1; at = text.indexOf("<", from)) {
    const end = text.indexOf(">", at);
    if (end === -1) throw new Error("a tag of it has no end");
    const tag = text.slice(at + 1, end);
    if (tag.startsWith("/")) {
      const name = tag.slice(1).trim();
      if (path.at(-1) !== name) throw new Error(`</${name.slice(0, 80)}> closes what is not open`);
      if (path.length <= depthMax) told(path, text.slice(from, at).trim());
      path.pop();
    } else if (!/^[!?]/.test(tag) && !tag.endsWith("/")) {
      path.push(tag.split(/\s/, 1)[0]!);
      if (path.length <= depthMax) told(path);
    }
    from = end + 1;
  }
}
