import type { PlanDraft } from "../../plan-draft.ts";
import type { ToolVersion } from "../../plan-info.ts";
import type { SourceTree } from "../../source-tree.ts";
import { chooseVersion } from "../../tool-version.ts";
import { withoutXmlComments } from "../../xml-comments.ts";

const defaultJava = "21";

export const gradleFile = (tree: SourceTree): string | undefined =>
  tree.read("build.gradle") ?? tree.read("build.gradle.kts");

export function chooseJava(draft: PlanDraft, gradle: string | undefined): void {
  const isOldGradle = gradle !== undefined && Number(gradle) <= 5;
  chooseVersion(draft, {
    tool: "java",
    label: "Java",
    variable: "JDK_VERSION",
    files: [".java-version"],
    manifest: [sdkman(draft), ofGradle(draft), ofMaven(draft)],
    fallback: isOldGradle
      ? { version: "8", reason: `Gradle ${gradle} runs on nothing newer` }
      : { version: defaultJava, reason: "nothing in the source names a version" },
    resolve: (wanted) => wanted.trim().replace(/^1\.(?=[5-8]\b)/, "") || undefined,
  });
}

function sdkman({ tree }: PlanDraft): ToolVersion | undefined {
  const version = /^[ \t]*java[ \t]*=[ \t]*(\d+(?:\.\d+)*)/m.exec(tree.read(".sdkmanrc") ?? "")?.[1];
  return version ? { version, reason: `.sdkmanrc says ${version}` } : undefined;
}

function ofGradle({ tree }: PlanDraft): ToolVersion | undefined {
  const version = /JavaLanguageVersion\.of\(\s*(\d+)\s*\)|jvmToolchain\(\s*(\d+)\s*\)/.exec(
    gradleFile(tree) ?? "",
  );
  const found = version?.[1] ?? version?.[2];
  return found ? { version: found, reason: `the Gradle build's toolchain says ${found}` } : undefined;
}

function ofMaven({ tree }: PlanDraft): ToolVersion | undefined {
  const [, property, version] =
    /<(java\.version|maven\.compiler\.release|maven\.compiler\.source)>\s*(?:1\.)?(\d+)\s*</.exec(
      withoutXmlComments(tree.read("pom.xml") ?? ""),
    ) ?? [];
  return version ? { version, reason: `pom.xml's ${property} says ${version}` } : undefined;
}

/** The major version of Gradle, of which the wrapper's own file knows best. */
export function chooseGradle(draft: PlanDraft): string {
  const properties = draft.tree.read("gradle/wrapper/gradle-wrapper.properties") ?? "";
  const url = /^[ \t]*distributionUrl[ \t]*[=:](.{0,2000})/m.exec(properties)?.[1] ?? "";
  const wrapper = /gradle-(\d+)/.exec(url)?.[1];
  return chooseVersion(draft, {
    tool: "gradle",
    label: "Gradle",
    variable: "GRADLE_VERSION",
    manifest: [
      wrapper ? { version: wrapper, reason: `gradle-wrapper.properties says ${wrapper}` } : undefined,
    ],
    fallback: { version: "8", reason: "nothing in the source names a version" },
  });
}
