import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buildDockerfile } from "@starform/buildkit/build-dockerfile";
import { ensureBaseImages } from "@starform/buildkit/base-images";
import { openBuildKit } from "@starform/buildkit/client";
import { dockerTransport } from "@starform/buildkit/transport";

/** Makes images of the Docker runtime in an engine, as the builder does, and gives their references. */
export function dockerImages(socketPath: string, cacheDir: string) {
  const bases = ensureBaseImages(socketPath, {
    cacheDir,
    nodeVersion: "24",
    form: "host",
    log: () => undefined,
  });
  return async (files: Record<string, string>, command: string | null): Promise<string> => {
    const { runtime } = await bases;
    const contextDir = mkdtempSync(join(tmpdir(), "starform-image-"));
    try {
      for (const [name, text] of Object.entries(files)) writeFileSync(join(contextDir, name), text);
      const cmd = command === null ? "" : `CMD ["/bin/sh", "-c", ${JSON.stringify(`exec ${command}`)}]\n`;
      writeFileSync(
        join(contextDir, "Dockerfile"),
        `FROM ${runtime}\nWORKDIR /app\nCOPY . /app\nENTRYPOINT []\n${cmd}`,
      );
      await using client = await openBuildKit(dockerTransport(socketPath));
      const built = await buildDockerfile(client, {
        contextDir,
        dockerfilePath: "Dockerfile",
        tags: ["starform.local/project/service:test"],
        onLog: () => undefined,
      });
      return `starform.local/project/service@${built.imageId}`;
    } finally {
      rmSync(contextDir, { recursive: true, force: true });
    }
  };
}
