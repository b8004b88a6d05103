import type { PlatformDescription } from "../data-dir/state.ts";

/** What a person sees when everything is ready. */
export function sayPlatform(platform: PlatformDescription, options: { isDetached: boolean }): string {
  const { stores } = platform;
  const rows: [string, string][] = [
    ["Dashboard", platform.dashboardUrl],
    ["Sign in (once)", platform.ownerLoginUrl],
    ["API", `${platform.apiUrl}   reference at ${platform.apiUrl}/docs`],
    ["Apps", `http://<service>-<project>.${platform.appsDomain}`],
    ["Runs apps", runsApps(platform)],
    ...(platform.areBuildsUnbounded ? [["Builds", unbounded] satisfies [string, string]] : []),
    ["Database, jobs", stores.database],
    ["Logs", stores.logs],
    ["Metrics", stores.metrics],
    ["Images", stores.images],
    ["Data", platform.dataDir],
    ["Next", "./starform up <your app's folder>   (./starform --help for the rest)"],
  ];
  const body = rows.map(([name, value]) => `  ${name.padEnd(16)}${value}`).join("\n");
  return `\n${body}\n\n  ${options.isDetached ? "npm stop stops it; npm run status describes it." : "Ctrl-C stops everything; the data stays."}\n`;
}

/** The log of each build says it too. */
const unbounded =
  "in a Docker Engine that ran before, which bounds no memory, processors, processes or disk of a build and keeps it from nothing in the network: build only code you trust, or stop it and start Starform as root on Linux, which then runs an engine of its own";

function runsApps({ runtime, cluster }: PlatformDescription): string {
  if (cluster)
    return `Kubernetes ${cluster.kubernetesVersion} of ${cluster.kubeconfigFile}; they stay when this stops`;
  return runtime === "docker" ? "Docker Engine" : "processes of this machine";
}
