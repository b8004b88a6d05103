import { exec, fromSource, fromStep } from "../../commands.ts";
import {
  addCache,
  addStep,
  decide,
  type PlanDraft,
  runtimeToolsStep,
  startWith,
  toolsStep,
} from "../../plan-draft.ts";
import type { Provider } from "../../provider.ts";
import { chooseVersion } from "../../tool-version.ts";
import { toolPaths } from "../../tools-step.ts";
import { chooseGradle, chooseJava, gradleFile } from "./java-version.ts";

const poms = ["pom.xml", "pom.atom", "pom.clj", "pom.groovy", "pom.rb", "pom.scala", "pom.yaml", "pom.yml"];
const gradleFiles = ["gradlew", "build.gradle", "build.gradle.kts"];

export const java: Provider = {
  name: "java",
  label: "Java",
  looksFor: ["pom.xml", ...gradleFiles],
  manifests: ["pom.xml", "build.gradle", "build.gradle.kts"],
  detects: ({ tree }) => tree.firstFile(...poms, ...gradleFiles) !== undefined,
  startHint: () => "Let the build make a jar with a main class, or set RAILPACK_START_CMD.",

  plan(draft) {
    const isGradle =
      draft.tree.firstFile(...gradleFiles) !== undefined &&
      (draft.tree.hasFile("gradlew") || !draft.tree.firstFile(...poms));
    decide(
      draft,
      `build with ${isGradle ? "Gradle" : "Maven"}`,
      `because there is a ${draft.tree.firstFile(...(isGradle ? gradleFiles : poms))}`,
    );
    const gradle = isGradle ? chooseGradle(draft) : undefined;
    if (!isGradle)
      chooseVersion(draft, {
        tool: "maven",
        label: "Maven",
        variable: "MAVEN_VERSION",
        fallback: {
          version: "latest",
          reason: hasWrapper(draft, isGradle)
            ? "the source's own mvnw brings the one it builds with, and needs no other"
            : "nothing in the source names a version",
        },
      });
    chooseJava(draft, gradle);
    draft.runtimeTools.add("java");
    build(draft, isGradle);
    draft.deploy.inputs.push(
      fromStep(runtimeToolsStep, toolPaths),
      fromStep("build", [isGradle ? "." : "target"]),
    );
    startWith(draft, startOf(draft, isGradle), startReason(draft, isGradle));
  },
};

const hasWrapper = ({ tree }: PlanDraft, isGradle: boolean): boolean =>
  isGradle
    ? tree.hasFile("gradlew")
    : tree.hasFile("mvnw") && tree.hasFile(".mvn/wrapper/maven-wrapper.properties");

function build(draft: PlanDraft, isGradle: boolean): void {
  const step = addStep(
    draft,
    "build",
    toolsStep,
    `because ${isGradle ? "Gradle" : "Maven"} fetches and builds in one`,
  );
  step.inputs.push(fromSource());
  step.secrets = ["*"];
  const isWrapped = hasWrapper(draft, isGradle);
  if (isWrapped)
    decide(draft, `build with the source's own ${isGradle ? "gradlew" : "mvnw"}`, "because it is there");
  if (isWrapped) step.commands.push(exec(`chmod +x ${isGradle ? "gradlew" : "mvnw"}`));
  if (isGradle) {
    addCache(draft, step, "gradle", "/root/.gradle");
    step.commands.push(
      exec(`${isWrapped ? "./gradlew" : "gradle"} clean build -x check -x test -Pproduction`),
    );
    return;
  }
  addCache(draft, step, "maven", "/root/.m2/repository");
  step.commands.push(
    exec(
      `${isWrapped ? "./mvnw" : "mvn"} -DoutputFile=target/mvn-dependency-list.log -B -DskipTests clean dependency:list install -Pproduction`,
    ),
  );
}

const startReason = (draft: PlanDraft, isGradle: boolean): string =>
  `because ${isGradle ? "Gradle writes the jar to build/libs" : "Maven writes the jar to target"}${/Dserver|Dswarm/.test(startOf(draft, isGradle)) ? ", and its framework takes the port so" : ""}`;

function startOf({ tree }: PlanDraft, isGradle: boolean): string {
  const manifest = (isGradle ? gradleFile(tree) : tree.read("pom.xml")) ?? "";
  const port = /org\.springframework\.boot|spring-boot|org\.grails/.test(manifest)
    ? " -Dserver.port=$PORT"
    : manifest.includes("org.wildfly.swarm")
      ? " -Dswarm.http.port=$PORT"
      : "";
  // Spring Boot writes a second, plain jar that cannot be started by itself.
  const jar = isGradle
    ? "$(ls -1 build/libs/*.jar */build/libs/*.jar 2>/dev/null | grep -v plain | head -n 1)"
    : "$(ls -1 target/*.jar | grep -v -e -sources -e -javadoc -e original- | head -n 1)";
  return `java${port} $JAVA_OPTS -jar ${jar}`;
}
