import { StringDecoder } from "node:string_decoder";
import { codec } from "./protocol.ts";

type Time = { seconds?: number; nanos?: number };
export type StatusVertex = {
  digest: string;
  name?: string;
  cached?: boolean;
  started?: Time;
  completed?: Time;
  error?: string;
};
type StatusLog = { vertex: string; timestamp?: Time; stream?: number; msg?: Uint8Array };
export type StatusResponse = { vertexes: StatusVertex[]; logs: StatusLog[] };

export const statusRequest = codec<{ ref: string }>("StatusRequest");
export const statusResponse = codec<StatusResponse>("StatusResponse");

/** One line of a build, or a step's change of state (`status`: empty text at its start, the outcome at its end). */
export type BuildEvent = {
  /** Milliseconds since 1970, by the builder's clock. */
  readonly ts: number;
  readonly step: string;
  readonly stream: "stdout" | "stderr" | "status";
  readonly text: string;
  /** On the end of a step: the result was already there. */
  readonly cached?: boolean;
  /** On the end of a step that ran. */
  readonly durationMs?: number;
};

export type FailedStep = {
  readonly step: string;
  readonly error: string;
  readonly lastLines: readonly string[];
};

export type Progress = {
  take(status: StatusResponse): void;
  /** Lines that had no line end. Call when the build is over. */
  finish(): void;
  failed(): FailedStep | undefined;
};

type Step = {
  name: string;
  state: "waiting" | "running" | "done";
  startedAt: number;
  error: string;
  tail: string[];
  partial: Map<number, { decoder: StringDecoder; text: string }>;
};

/** No build has as many. Of more nothing is kept and nothing told, so that no builder can fill the memory with them. */
const stepsMax = 10_000;
const tailLinesMax = 40;
/** A line longer than this is handed out in pieces, so that output without line ends cannot fill the memory. */
const lineCharsMax = 64 * 1024;

/** Turns the builder's reports, which repeat and cut text anywhere, into whole lines in order. */
export function trackProgress(onEvent: (event: BuildEvent) => void): Progress {
  const steps = new Map<string, Step>();
  const stepOf = (digest: string): Step => {
    const known = steps.get(digest);
    if (known) return known;
    const made: Step = {
      name: "build",
      state: "waiting",
      startedAt: 0,
      error: "",
      tail: [],
      partial: new Map(),
    };
    steps.set(digest, made);
    return made;
  };
  const isKept = (digest: string): boolean =>
    steps.has(digest) || (steps.size < stepsMax && Boolean(stepOf(digest)));
  const say = (step: Step, stream: number, ts: number, text: string): void => {
    step.tail.push(text);
    if (step.tail.length > tailLinesMax) step.tail.shift();
    onEvent({ ts, step: step.name, stream: stream === 2 ? "stderr" : "stdout", text });
  };
  const flush = (step: Step, ts: number): void => {
    for (const [stream, { decoder, text }] of step.partial) {
      const rest = text + decoder.end();
      if (rest !== "") say(step, stream, ts, rest);
    }
    step.partial.clear();
  };
  return {
    take(report) {
      const vertexes = report.vertexes.filter(({ digest }) => isKept(digest));
      const logs = report.logs.filter(({ vertex }) => isKept(vertex));
      for (const { digest, name } of vertexes) if (name) stepOf(digest).name = name;
      const running = vertexes.filter(({ completed }) => !completed);
      const endsMs = vertexes.flatMap(({ completed }) => (completed ? [millis(completed)] : []));
      // What began when all these had ended is told after them, though one report tells of both.
      const isNext = ({ started }: StatusVertex) =>
        endsMs.length > 0 && endsMs.every((ms) => ms <= millis(started));
      for (const vertex of running.filter((one) => !isNext(one)))
        begin(stepOf(vertex.digest), vertex, onEvent);
      for (const log of logs) takeLog(stepOf(log.vertex), log, say);
      for (const vertex of vertexes.filter(({ completed }) => completed)) {
        const step = stepOf(vertex.digest);
        begin(step, vertex, onEvent);
        if (step.state !== "done") flush(step, millis(vertex.completed));
        end(step, vertex, onEvent);
      }
      for (const vertex of running.filter(isNext)) begin(stepOf(vertex.digest), vertex, onEvent);
    },
    finish: () => steps.forEach((step) => flush(step, Date.now())),
    failed() {
      const step = [...steps.values()].find(({ error }) => error !== "" && !/context canceled/.test(error));
      return step && { step: step.name, error: step.error, lastLines: step.tail };
    },
  };
}

function begin(step: Step, vertex: StatusVertex, onEvent: (event: BuildEvent) => void): void {
  if (!vertex.started || step.state === "running") return;
  const ts = millis(vertex.started);
  if (step.state === "done" && ts <= step.startedAt) return;
  step.state = "running";
  step.startedAt = ts;
  onEvent({ ts, step: step.name, stream: "status", text: "" });
}

function end(
  step: Step,
  { completed, cached = false, error = "" }: StatusVertex,
  onEvent: (event: BuildEvent) => void,
): void {
  if (step.state !== "running") return;
  step.state = "done";
  step.error = error;
  const ts = millis(completed);
  const text = error === "" ? (cached ? "cached" : "done") : firstLine(error);
  const durationMs = Math.max(0, ts - step.startedAt);
  onEvent({ ts, step: step.name, stream: "status", text, cached, ...(!cached && { durationMs }) });
}

function takeLog(
  step: Step,
  log: StatusLog,
  say: (step: Step, stream: number, ts: number, text: string) => void,
): void {
  const stream = log.stream ?? 1;
  const partial = step.partial.get(stream) ?? { decoder: new StringDecoder("utf8"), text: "" };
  step.partial.set(stream, partial);
  const lines = (partial.text + partial.decoder.write(Buffer.from(log.msg ?? []))).split("\n");
  const rest = lines.pop() ?? "";
  partial.text = rest.length > lineCharsMax ? "" : rest;
  if (rest.length > lineCharsMax) lines.push(rest);
  for (const line of lines) say(step, stream, millis(log.timestamp), line.replace(/\r$/, ""));
}

const millis = (time: Time | undefined): number =>
  (time?.seconds ?? 0) * 1000 + Math.trunc((time?.nanos ?? 0) / 1_000_000);

const firstLine = (text: string): string => text.split("\n", 1)[0] ?? "";
