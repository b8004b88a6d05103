import type { Step } from "../../build-plan.ts";
import { copy, exec, fromSource, fromStep, shell, word, writeAsset } from "../../commands.ts";
import { addCache, addStep, decide, type PlanDraft, startWith, toolsStep } from "../../plan-draft.ts";
import type { Provider } from "../../provider.ts";
import { aptStep, toolPaths } from "../../tools-step.ts";
import { buildNodeBeside } from "../node/node-beside.ts";
import { isLaravel, phpExtensions } from "./php-extensions.ts";
import { caddyfile, phpIni, startScript } from "./php-server.ts";
import { choosePhp } from "./php-version.ts";

const imageStep = "packages:image";
const composerCache = "/opt/cache/composer";

export const php: Provider = {
  name: "php",
  label: "PHP",
  looksFor: ["index.php", "composer.json"],
  manifests: ["composer.json"],
  detects: ({ tree }) => tree.firstFile("index.php", "composer.json") !== undefined,
  startHint: () => "Add an index.php.",

  plan(draft) {
    const version = choosePhp(draft);
    draft.steps.push(
      aptStep(draft, imageStep, {
        image: `dunglas/frankenphp:php${version}-trixie`,
        packages: aptPackages(draft),
        reason: "because FrankenPHP has an image for each PHP, and Composer fetches and unpacks with these",
      }),
    );
    prepare(draft);
    extensions(draft);
    composer(draft);
    deploy(draft);
    draft.exclude.push("vendor");
    startWith(
      draft,
      "/start-container.sh",
      "because it starts FrankenPHP, which is PHP and its web server in one process",
    );
  },
};

/** The image is the build's and the app's, so packages of both go into it. */
function aptPackages({ config }: PlanDraft): string[] {
  const asked = [...(config.buildAptPackages ?? []), ...(config.deploy?.aptPackages ?? [])].filter(
    (name) => name !== "...",
  );
  return [...new Set(["ca-certificates", "git", "unzip", "zip", ...asked])].toSorted();
}

function prepare(draft: PlanDraft): void {
  const step = addStep(
    draft,
    "prepare",
    imageStep,
    "because the server and PHP are set up before anything of the app is there",
  );
  Object.assign(step.variables, {
    APP_DEBUG: "false",
    APP_ENV: "production",
    APP_LOCALE: "en",
    IS_LARAVEL: String(isLaravel(draft.tree)),
    LOG_CHANNEL: "stderr",
    LOG_LEVEL: "debug",
    OCTANE_SERVER: "frankenphp",
    PHP_INI_DIR: "/usr/local/etc/php",
    SERVER_NAME: ":80",
  });
  const root =
    draft.variables.get("PHP_ROOT_DIR") ??
    (isLaravel(draft.tree) || draft.tree.hasFile("public/index.php") ? "/app/public" : "/app");
  decide(draft, `serve ${root}`, `because ${rootReason(draft, root)}`);
  step.assets = {
    Caddyfile: draft.tree.read("Caddyfile") ?? caddyfile(root),
    "php.ini": draft.tree.read("php.ini") ?? phpIni,
    "start-container.sh": draft.tree.read("start-container.sh") ?? startScript,
  };
  step.commands.push(
    exec("mkdir -p /usr/local/etc/php/conf.d /conf.d/"),
    writeAsset("/usr/local/etc/php/conf.d/php.ini", "php.ini"),
    writeAsset("/Caddyfile", "Caddyfile"),
    {
      path: "/start-container.sh",
      name: "start-container.sh",
      mode: 0o755,
      customName: "create start container script",
    },
  );
}

function rootReason({ tree, variables }: PlanDraft, root: string): string {
  if (variables.get("PHP_ROOT_DIR")) return "RAILPACK_PHP_ROOT_DIR says so";
  const index = root === "/app" ? "index.php" : "public/index.php";
  if (tree.hasFile(index)) return `there is ${index === "index.php" ? "an" : "a"} ${index}`;
  return isLaravel(tree) ? "Laravel serves its public folder" : "no public/index.php says otherwise";
}

function extensions(draft: PlanDraft): void {
  const step = addStep(
    draft,
    "extensions",
    "prepare",
    "because extensions are compiled before packages are installed, which may need them",
  );
  const names = phpExtensions(draft);
  if (names.length === 0) return;
  for (const name of ["apt", "apt-lists"]) step.caches.push(name);
  step.commands.push(exec(`install-php-extensions ${names.map(word).join(" ")}`));
  decide(
    draft,
    `install the extensions ${names.join(", ")}`,
    "because composer.json, the framework or the variables ask for them",
  );
}

function composer(draft: PlanDraft): void {
  const { tree, variables } = draft;
  const step = addStep(
    draft,
    "install:composer",
    "extensions",
    "because dependencies are installed before the code is there, so that a change of code installs nothing again",
  );
  step.secrets = variables.namesStartingWith(["COMPOSER", "PHP"]);
  Object.assign(step.variables, { COMPOSER_CACHE_DIR: composerCache, COMPOSER_FUND: "0" });
  if (!tree.hasFile("composer.json")) return;
  decide(draft, "install with Composer", "because there is a composer.json", "install");
  addCache(draft, step, "composer", composerCache);
  const manifests = [
    ...tree.find("**/composer.json"),
    ...tree.find("**/composer.lock"),
    ...(tree.hasFile("artisan") ? ["artisan"] : []),
  ];
  step.commands.push(
    { image: "composer:latest", src: "/usr/bin/composer", dest: "/usr/bin/composer" },
    ...manifests.filter((file) => !file.startsWith("vendor/")).map((file) => copy(file)),
    exec("composer install --no-dev --optimize-autoloader --no-scripts --no-interaction"),
  );
}

const laravelCommands = [
  shell(
    "mkdir -p storage/framework/sessions storage/framework/views storage/framework/cache storage/framework/testing storage/logs bootstrap/cache && chmod -R a+rw storage",
    "prepare Laravel's folders",
  ),
  ...["event:cache", "route:cache", "view:cache"].map((task) => exec(`php artisan ${task}`)),
];

/** PHP comes with its image, so tools are there only where something asks for others. */
const asksForTools = ({ config }: PlanDraft): boolean =>
  Object.keys(config.packages ?? {}).some((tool) => tool !== "php");

function deploy(draft: PlanDraft): void {
  const assets = buildNodeBeside(draft, "install:composer", "build");
  const build: Step =
    assets?.build ?? addStep(draft, "build", "install:composer", "because the code comes after its packages");
  if (!assets) {
    if (asksForTools(draft)) build.inputs.push(fromStep(toolsStep, toolPaths));
    build.inputs.push(fromSource());
    build.secrets = ["*"];
  }
  if (draft.tree.hasFile("composer.json"))
    build.commands.push(exec("composer dump-autoload --optimize --no-interaction"));
  if (isLaravel(draft.tree)) {
    build.commands.push(...laravelCommands);
    decide(draft, "cache Laravel's events, routes and views", "because there is an artisan");
  }
  draft.deploy.base = fromStep("install:composer");
  if (assets || asksForTools(draft)) draft.deploy.inputs.push(fromStep(toolsStep, toolPaths));
  if (assets) draft.deploy.inputs.push(fromStep(assets.prune.name, ["/app/node_modules"]));
  draft.deploy.inputs.push(fromStep(build.name, ["."], assets ? ["node_modules"] : undefined));
}
