"use client";
import {
  cacheHits,
  getBuild,
  getProvenance,
  getSbom,
  type Build,
  type BuildReport,
} from "@starform/contract/builds";
import { useState, type ReactNode } from "react";
import { call } from "../../api/client.ts";
import { useRoute } from "../../api/queries.ts";
import { Button } from "../../ui/button.tsx";
import { count, sayDuration, sayValue } from "../../ui/format.ts";
import { TitledPanel } from "../../ui/panel.tsx";
import { ErrorNotice, Skeleton } from "../../ui/states.tsx";

/** What was measured of a build that is over: its steps, what came from the cache, the image layer by layer. */
export function BuildPanel({ id }: { id: string }) {
  const build = useRoute(getBuild, { params: { build: id } });
  const report = build.data?.report;
  if (build.data && !report) return null;
  return (
    <TitledPanel
      title="Build"
      note={report && factsOf(report)}
      actions={build.data?.documents.map((one) => (
        <SaveDocument key={one.kind} build={id} {...one} />
      ))}
      isFlush
    >
      <ErrorNotice error={build.error} className="m-4" />
      {build.isPending && <Skeleton rows={3} rowClassName="h-8" />}
      {report && report.steps.length > 0 && (
        <ol aria-label="Steps of the build" className="divide-y divide-line">
          {report.steps.map(({ name, outcome, durationMs }, at) => (
            <Row key={`${at} ${name}`} name={name}>
              <span className={outcome === "failed" ? "text-bad" : "text-ink-soft"}>
                {outcome === "done" ? "" : outcome}
              </span>
              <span className="w-20 text-right tabular-nums">
                {durationMs === undefined ? "" : sayDuration(durationMs)}
              </span>
            </Row>
          ))}
        </ol>
      )}
      {report?.layers && report.layers.length > 0 && (
        <details className="border-t border-line">
          <summary className="cursor-pointer px-4 py-2 text-xs text-ink-soft">
            {count(report.layers.length, "layer")} of the image
          </summary>
          <ol aria-label="Layers of the image" className="divide-y divide-line border-t border-line">
            {report.layers.map(({ sizeBytes, createdBy = "" }, at) => (
              <Row key={`${at} ${createdBy}`} name={createdBy}>
                <span className="w-20 text-right tabular-nums">{sayValue(sizeBytes, "bytes")}</span>
              </Row>
            ))}
          </ol>
        </details>
      )}
    </TitledPanel>
  );
}

const documents = {
  sbom: { route: getSbom, word: "Component list", file: "sbom.cdx.json" },
  provenance: { route: getProvenance, word: "Provenance", file: "provenance.intoto.json" },
};

/** Saves a document as it was made: the bytes are those that its digest is of. */
function SaveDocument({ build, kind, digest }: Build["documents"][number] & { build: string }) {
  const { route, word, file } = documents[kind];
  const [error, setError] = useState<unknown>();
  const save = async () => {
    setError(undefined);
    try {
      const text = JSON.stringify(await call(route, { params: { build } }));
      saveAs(new Blob([text], { type: "application/json" }), file);
    } catch (cause) {
      setError(cause);
    }
  };
  return (
    <>
      <ErrorNotice error={error} />
      <Button size="small" look="quiet" title={digest} onClick={() => void save()}>
        {word}
      </Button>
    </>
  );
}

function saveAs(content: Blob, name: string): void {
  const url = URL.createObjectURL(content);
  const link = Object.assign(document.createElement("a"), { href: url, download: name });
  link.click();
  URL.revokeObjectURL(url);
}

const Row = ({ name, children }: { name: string; children: ReactNode }) => (
  <li className="flex items-center justify-between gap-3 px-4 py-1.5 text-xs">
    <span className="min-w-0 truncate font-mono" title={name}>
      {name}
    </span>
    <span className="flex shrink-0 gap-3">{children}</span>
  </li>
);

/** What is not known is not mentioned. */
export function factsOf(report: BuildReport): string {
  const { sentBytes, peakMemoryBytes, imageBytes } = report;
  const { cached, of } = cacheHits(report);
  return [
    ...(of > 0 ? [`${cached} of ${of} steps from the cache`] : []),
    ...(sentBytes === undefined ? [] : [`${sayValue(sentBytes, "bytes")} sent`]),
    ...(peakMemoryBytes === undefined ? [] : [`${sayValue(peakMemoryBytes, "bytes")} of memory at most`]),
    ...(imageBytes === undefined ? [] : [`image ${sayValue(imageBytes, "bytes")}`]),
  ].join(" · ");
}
