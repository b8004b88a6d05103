import { execFile } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { client, everyItem, streamItems, type ClientOptions } from "@starform/client/client";
import {
  createDeployment,
  getDeployment,
  listDeployments,
  uploadSource,
  type Deployment,
} from "@starform/contract/deployments";
import { searchLogs, tailLogs, type LogEntry } from "@starform/contract/logs";
import { createProject } from "@starform/contract/projects";
import type { CallInput } from "@starform/contract/route";
import { createService, getService, type Service } from "@starform/contract/services";
import { isFinal } from "@starform/contract/states";
import { until } from "@starform/std/retry";
import { writeFiles } from "@starform/testkit/terminal";

export type Files = Readonly<Record<string, string>>;
export type LogSearch = NonNullable<CallInput<typeof searchLogs>["query"]>;
type NewService = CallInput<typeof createService>["body"];
type Settings = Omit<NewService, "name">;

const pack = promisify(execFile);
/** How long anything is waited for: far beyond what a loaded machine needs. */
export const patience = { withinMs: 120_000, everyMs: 100 };

/** One project of the platform, as a program that knows the API sees it. */
export async function throughApi(
  platform: { readonly apiUrl: string; readonly ownerToken: string; readonly appsDomain: string },
  project: string,
) {
  const options: ClientOptions = { url: platform.apiUrl, token: () => platform.ownerToken };
  const call = client(options);
  const at = (service: string) => ({ project, service });
  await call(createProject, { body: { slug: project } });

  /** Sends the files and begins a deployment of them. */
  async function begin(service: string, files: Files): Promise<Deployment> {
    const { sourceId } = await call(uploadSource, { params: at(service), body: archive(files) } as never);
    return call(createDeployment, { params: at(service), body: { sourceId } });
  }

  /** The deployment when it has come to its end, or when `isThere` says so; outages of the API are waited out. */
  const untilIt = ({ id }: Deployment, isThere = (seen: Deployment) => isFinal(seen.status)) => {
    const look = async () => {
      const seen = await call(getDeployment, { params: { deployment: id } });
      return isThere(seen) && seen;
    };
    return until(`deployment ${id} to come so far`, look, patience);
  };

  return {
    call,
    begin,
    untilIt,
    url: (service: string) => `http://${service}-${project}.${platform.appsDomain}`,
    create: (name: string, settings: Settings = {}): Promise<Service> =>
      call(createService, { params: { project }, body: { name, ...settings } }),
    service: (name: string): Promise<Service> => call(getService, { params: at(name) }),
    deploy: async (service: string, files: Files): Promise<Deployment> =>
      untilIt(await begin(service, files)),
    deployments: async (service: string): Promise<Deployment[]> =>
      (await call(listDeployments, { params: at(service) })).items,
    /** Every line that is found, the newest page first. */
    logs: (service: string, query: LogSearch = {}): Promise<LogEntry[]> =>
      Array.fromAsync(
        everyItem<typeof searchLogs, LogEntry>(call, searchLogs, {
          params: at(service),
          query: { limit: 5_000, ...query },
        }),
      ),
    tail: (service: string, signal: AbortSignal): AsyncGenerator<LogEntry> =>
      streamItems(options, tailLogs, { params: at(service), query: { limit: 5_000 } }, { signal }),
  };
}
export type ThroughApi = Awaited<ReturnType<typeof throughApi>>;

/** A gzipped tar of the files. */
async function* archive(files: Files): AsyncGenerator<Uint8Array> {
  const folder = mkdtempSync(join(tmpdir(), "starform-source-"));
  try {
    writeFiles(folder, files);
    const args = ["-czf", "-", "-C", folder, "."];
    yield (await pack("tar", args, { encoding: "buffer", maxBuffer: 64 << 20 })).stdout;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
