/** What a Dockerfile may ask a builder to fetch. */
export type DockerfileImages = {
  /** Every image it names, its arguments filled in, and other words beside: never fewer than the builder would use. */
  readonly names: readonly string[];
  /** What stands for an image and cannot be worked out here: an expansion that not every builder knows. */
  readonly unreadable: readonly string[];
};

type Arguments = Readonly<Record<string, string>>;
/** The value of an argument, undefined where it has none. */
type Known = (name: string) => string | undefined;

/**
 * The images in FROM, COPY --from and RUN --mount=from of a Dockerfile, for who must know before it is built. Read so
 * that nothing hides one: either escape character, quotes, continued lines, and text of heredocs taken for instructions.
 */
export function imagesOfDockerfile(text: string, buildArgs: Arguments = {}): DockerfileImages {
  const found = ["\\", "`"].flatMap((escape) => wordsOf(instructionsOf(text, escape), buildArgs, escape));
  const isUnreadable = (word: string): boolean => word.includes("${");
  return {
    names: [...new Set(found.filter((word) => word !== "" && !isUnreadable(word)))],
    unreadable: [...new Set(found.filter(isUnreadable))],
  };
}

/** The images of every layer and copy of a plan in Railpack's format. */
export const imagesOfPlan = (plan: unknown): readonly string[] =>
  typeof plan !== "object" || plan === null
    ? []
    : Object.entries(plan).flatMap(([key, value]) =>
        key === "image" && typeof value === "string" ? [value] : imagesOfPlan(value),
      );

function instructionsOf(text: string, escape: string): string[] {
  const instructions: string[] = [];
  let open = "";
  for (const line of text.split(/\r?\n/)) {
    // Inside a continued instruction, comments and empty lines do not end it.
    if (/^\s*(#|$)/.test(line)) continue;
    const trimmed = line.trimEnd();
    if (trimmed.endsWith(escape)) {
      open += trimmed.slice(0, -1);
      continue;
    }
    instructions.push(open + line);
    open = "";
  }
  return [...instructions, open];
}

function wordsOf(instructions: readonly string[], buildArgs: Arguments, escape: string): string[] {
  const known = new Map(Object.entries(platform));
  const given = (name: string) => (Object.hasOwn(buildArgs, name) ? buildArgs[name] : known.get(name));
  const found: string[] = [];
  let hasStage = false;
  for (const instruction of instructions) {
    const [, name = "", rest = ""] = /^\s*(\w+)\s+(.*)$/s.exec(instruction) ?? [];
    const fill = (word: string): string => expanded(word, (name) => known.get(name), escape);
    if (name.toUpperCase() === "FROM") {
      hasStage = true;
      for (const word of rest.split(/\s+/)) found.push(fill(word));
    } else if (name.toUpperCase() === "ARG" && !hasStage)
      for (const [, key = "", value = ""] of rest.matchAll(/(\w+)(?:=((?:"[^"]*"|'[^']*'|[^\s"'])*))?/g))
        known.set(key, Object.hasOwn(buildArgs, key) ? (buildArgs[key] ?? "") : fill(value));
    const plain = rest.replaceAll(/["'`\\]/g, "");
    for (const [, image = ""] of plain.matchAll(/\bfrom=([^\s,]+)/gi))
      found.push(expanded(image, given, escape));
  }
  return found;
}

const platform: Arguments = Object.fromEntries(
  ["BUILD", "TARGET"].flatMap((which) => [
    [`${which}PLATFORM`, "linux/amd64"],
    [`${which}OS`, "linux"],
    [`${which}ARCH`, "amd64"],
    [`${which}VARIANT`, ""],
  ]),
);

/** The word as a builder reads it: without quotes, its arguments filled in. What is not known to all stays as it is. */
function expanded(word: string, known: Known, escape: string): string {
  const plain = word.replaceAll(/["']/g, "").replaceAll(new RegExp(`${"\\"}${escape}(.)`, "g"), "$1");
  // From the inside out, so that a default may itself be an argument.
  const innermost = /\$(\w+)|\$\{(\w+)(?:(:?[-+?])([^${}]*))?\}/;
  let filled = plain;
  for (let left = expansionsMax; left > 0; left -= 1) {
    const match = innermost.exec(filled);
    if (!match) return filled;
    const [all, bare, braced, operator = "", other = ""] = match;
    const value = valueOf(known, bare ?? braced ?? "", operator, other);
    filled = `${filled.slice(0, match.index)}${value.slice(0, nameMax)}${filled.slice(match.index + all.length)}`;
  }
  return `\${${filled}`;
}

const [expansionsMax, nameMax] = [100, 1_000];

function valueOf(known: Known, name: string, operator: string, other: string): string {
  const value = known(name);
  const isThere = operator.startsWith(":") ? Boolean(value) : value !== undefined;
  if (operator.endsWith("-")) return isThere ? (value ?? "") : other;
  if (operator.endsWith("+")) return isThere ? other : "";
  return value ?? "";
}
