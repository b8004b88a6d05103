import { createWriteStream } from "node:fs";
import { open } from "node:fs/promises";
import type { BuildLogLine, StepEnd } from "../../ports/build-service.ts";
import { sayBytes } from "./build-limits.ts";

/** The log of one build: kept on disk, so that a build that prints a gigabyte costs no memory, and read by any number. */
export type LogSpool = {
  line(step: string, stream: BuildLogLine["stream"], text: string, ended?: StepEnd): void;
  /** All is built, and the image is put where it is kept; again, it says nothing. */
  keeping(): void;
  /** Whether output is being left out by now: who has much to say need not take it apart any more. */
  isFull(): boolean;
  leftOut(bytes: number): void;
  /** After the last line; readers end when they have read it. */
  end(): Promise<void>;
  /** Every line from the first; ends with the build, rejects when the signal fires. */
  read(signal: AbortSignal): AsyncIterable<BuildLogLine>;
};

/** Lines of a program past `bytesMax` are left out and counted; what the builder itself says (`status`) always stays. */
export function openLogSpool(file: string, bytesMax: number, nowMs: () => number): LogSpool {
  const out = createWriteStream(file, { flags: "w", mode: 0o600 });
  let [seq, bytes, written, leftOutBytes, isKeeping, isEnded] = [0, 0, 0, 0, false, false];
  let failure: Error | undefined;
  let wake = Promise.withResolvers<void>();
  const tell = () => {
    wake.resolve();
    wake = Promise.withResolvers<void>();
  };
  out.on("error", (error) => {
    failure = error;
    tell();
  });

  const append = (line: Omit<BuildLogLine, "seq" | "tsMs">) => {
    const record = `${JSON.stringify({ tsMs: nowMs(), seq: ++seq, ...line })}\n`;
    out.write(record, () => {
      written += Buffer.byteLength(record);
      tell();
    });
  };

  return {
    line(step, stream, text, ended) {
      if (isEnded) return;
      if (stream !== "status") {
        bytes += text.length + 1;
        if (bytes > bytesMax) {
          if (leftOutBytes === 0)
            append({
              step,
              stream: "status",
              text: `the log is full (${sayBytes(bytesMax)}): further output is left out`,
            });
          leftOutBytes += text.length + 1;
          return;
        }
      }
      append({ step, stream, text, ...(ended && { ended }) });
    },
    keeping() {
      if (isKeeping || isEnded) return;
      isKeeping = true;
      append({ step: "push", stream: "status", text: "put the image where it is kept", begins: "push" });
    },
    isFull: () => leftOutBytes > 0,
    leftOut: (more) => void (leftOutBytes += more),
    async end() {
      if (isEnded) return;
      if (leftOutBytes > 0)
        append({
          step: "log",
          stream: "status",
          text: `${sayBytes(leftOutBytes)} of output were left out of this log`,
        });
      isEnded = true;
      await new Promise<void>((resolve) => out.end(() => resolve()));
      tell();
    },
    async *read(signal) {
      const aborted = Promise.withResolvers<void>();
      const onAbort = () => aborted.resolve();
      signal.addEventListener("abort", onAbort, { once: true });
      let handle: Awaited<ReturnType<typeof open>> | undefined;
      try {
        let [position, rest] = [0, Buffer.alloc(0)];
        for (;;) {
          signal.throwIfAborted();
          if (failure) throw failure;
          const next = wake.promise;
          if (position >= written) {
            if (isEnded && out.writableFinished) return;
            await Promise.race([next, aborted.promise]);
            continue;
          }
          handle ??= await open(file, "r");
          const chunk = Buffer.alloc(Math.min(written - position, 256 * 1_024));
          const { bytesRead } = await handle.read(chunk, 0, chunk.length, position);
          position += bytesRead;
          const text = Buffer.concat([rest, chunk.subarray(0, bytesRead)]);
          const end = text.lastIndexOf(10) + 1;
          rest = text.subarray(end);
          for (const record of text.subarray(0, end).toString().split("\n"))
            if (record !== "") yield JSON.parse(record) as BuildLogLine;
        }
      } finally {
        signal.removeEventListener("abort", onAbort);
        await handle?.close();
      }
    },
  };
}
