import { join } from "node:path";
import { levelOf, lineSplitter } from "@starform/log-shipper/line-splitter";
import type { LogLine } from "@starform/log-shipper/log-shipper";
import { readJson, removeFile, writeJson } from "../disk/json-file.ts";
import type { LogSink } from "../log-sink.ts";
import type { Engine, Instance } from "./engine.ts";
import { keyOfLabels, label } from "./labels.ts";
import { lastWords } from "./last-words.ts";
import type { Warn } from "../../core/warn.ts";

export type OutputPump = {
  /** The last line that tells why it ended, if it ended now. */
  lastLine(): string | undefined;
  /** The end of what it said, the newest last. */
  lastLines(): readonly string[];
  /** Adds a warning of the platform's own about the instance to what it says. */
  note(message: string): void;
  /** Resolves when the instance has ended and all it said is shipped. */
  readonly done: Promise<void>;
  stop(): Promise<void>;
  forget(): void;
};
type Deps = {
  readonly engine: Engine;
  readonly sink: LogSink;
  readonly dir: string;
  readonly warn: Warn;
};
type Place = { readonly cursor: string | undefined; readonly seq: number };

const saveEveryMs = 1_000;

/** Ships an instance's output line by line, going on where the last Shuttle was. */
export function pumpOutput({ engine, sink, dir, warn }: Deps, instance: Instance): OutputPump {
  const path = join(dir, `${instance.id}.json`);
  const ending = new AbortController();
  const last = lastWords();
  let { cursor, seq } = (readJson(path) as Place | undefined) ?? { cursor: undefined, seq: 0 };
  let savedMs = performance.now();

  const tell = (stream: "stdout" | "stderr", atMs: number, message: string): void => {
    last.add(stream, message);
    sink.ship({ ...ownerOf(instance), tsMs: atMs, seq: seq++, stream, message, level: levelOf(message) });
  };
  const note = (message: string, tsMs: number, attributes?: LogLine["attributes"]): void =>
    sink.ship({
      ...ownerOf(instance),
      tsMs,
      seq: seq++,
      stream: "system",
      level: "warn",
      message,
      ...(attributes ? { attributes } : {}),
    });
  const save = async (): Promise<void> => {
    savedMs = performance.now();
    const place: Place = { cursor, seq };
    await sink.flush();
    if (place.cursor !== undefined) writeJson(path, place);
  };
  const run = async (): Promise<void> => {
    let atMs = Date.now();
    const splitters = {
      stdout: lineSplitter((line) => tell("stdout", atMs, line)),
      stderr: lineSplitter((line) => tell("stderr", atMs, line)),
    };
    for await (const chunk of engine.output(instance.id, cursor, ending.signal)) {
      atMs = chunk.atMs;
      if (chunk.droppedBytes > 0)
        note(
          `${chunk.droppedBytes} bytes of output were dropped: the instance wrote more than is kept on disk`,
          atMs,
          { gap: true },
        );
      splitters[chunk.stream].write(chunk.bytes);
      cursor = chunk.cursor;
      if (performance.now() - savedMs > saveEveryMs) await save();
    }
    splitters.stdout.end();
    splitters.stderr.end();
    await save();
  };
  const done = run().catch((error: unknown) =>
    warn(`the output of ${instance.id} is not read any more: ${String(error)}`, keyOfLabels(instance.labels)),
  );
  return {
    lastLine: last.line,
    lastLines: last.lines,
    note: (message) => note(message, Date.now()),
    done,
    async stop() {
      ending.abort();
      await done;
    },
    forget: () => removeFile(path),
  };
}

const ownerOf = ({ id, labels }: Instance) => ({
  workspaceId: label(labels, "workspace-id"),
  projectId: label(labels, "project-id"),
  environment: label(labels, "environment"),
  serviceId: label(labels, "service-id"),
  deploymentId: label(labels, "deployment-id"),
  buildId: label(labels, "build-id"),
  instanceId: id,
});
