import { describe, expect, test } from "vitest";
import { imagesOfDockerfile, imagesOfPlan } from "./dockerfile-images.ts";

const image = "starform.local/project/service:build";

describe("the images of a Dockerfile", () => {
  test.each<[string, string, Record<string, string>?]>([
    ["in FROM", `FROM ${image}`],
    ["in a later stage, with a platform and a name", `FROM scratch\nfrom --platform="a b" ${image} AS last`],
    ["in COPY --from", `FROM scratch\nCOPY --from=${image} /a /a`],
    ["in ONBUILD", `FROM scratch\nONBUILD COPY --chown=1 --from=${image} /a /a`],
    ["in a mount", `FROM scratch\nRUN --mount=type=bind,target=/a,from=${image} ls`],
    ["in a quoted mount", `FROM scratch\nRUN --mount=type=bind,"from=${image}",target=/a ls`],
    ["in quotes", `FROM "starform.local"/'project/service':build`],
    ["behind escapes", `FROM star\\form.local/project/service:build`],
    ["over lines", `FROM \\\n# a comment \\\n\n  starform.local\\\n/project/service:build`],
    ["over lines of another escape", "# escape=`\nFROM `\nstarform.local`\n/project/service:build"],
    ["in an argument", `ARG BASE=${image}\nFROM $BASE`],
    ["in quoted arguments of one line", `ARG A="starform.local" B='project/service'\nFROM \${A}/$B:build`],
    ["in an argument that is quoted in part", `ARG A="star"form.local B=x\nFROM $A/project/service:build`],
    ["in an argument of the build", "ARG BASE=scratch\nFROM ${BASE}", { BASE: image }],
    ["in a default", "ARG BASE\nFROM ${BASE:-starform.local/project/${NAME:-service}:build}"],
    ["in a default without a colon", `FROM \${BASE-${image}}`],
    ["in an alternative", `FROM \${TARGETARCH:+${image}}`],
    ["after a heredoc", `FROM scratch\nRUN <<E\nls \\\nE\nCOPY --from=${image} /a /a`],
  ])("are found %s", (_where, text, buildArgs) => {
    expect(imagesOfDockerfile(text, buildArgs).names).toContain(image);
  });

  test("are said to be unreadable where a builder may know more than is known here", () => {
    expect(imagesOfDockerfile("ARG A=xstarform.local\nFROM ${A#x}/p/s:b").unreadable).toEqual([
      "${A#x}/p/s:b",
    ]);
    expect(imagesOfDockerfile("ARG A=$A$A\nFROM ${A:-$A}").unreadable).toEqual([]);
  });

  test("are read in bounded time from one whose arguments multiply", () => {
    const text = `ARG A0=xxxxxxxxxx\n${Array.from({ length: 200 }, (_, i) => `ARG A${i + 1}=$A${i}$A${i}`).join("\n")}\nFROM $A200`;
    const names = imagesOfDockerfile(text).names.map((name) => name.length);
    expect(Math.max(...names)).toBeLessThan(10_000);
  });

  test("are read from one of as many words, and of as many arguments, as a Dockerfile holds", () => {
    expect(imagesOfDockerfile(`FROM image${" a".repeat(500_000)}`).names).toEqual(["image", "a"]);
    const lines = Array.from({ length: 50_000 }, (_, i) => `ARG A${i}=a\nRUN --mount=from=$A${i} b`);
    expect(imagesOfDockerfile(lines.join("\n")).names).toEqual(["a"]);
  });
});

test("the images of a plan are those of its layers, its copies and its base", () => {
  const plan = {
    steps: [
      {
        name: "a",
        inputs: [{ image: "one" }, { local: true }],
        commands: [{ src: "/", dest: "/", image: "two" }],
      },
    ],
    deploy: { base: { image: "three" }, inputs: [{ image: "four", include: ["/"] }] },
  };
  expect(imagesOfPlan(plan)).toEqual(["one", "two", "three", "four"]);
});
