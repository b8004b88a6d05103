/** A line longer than this arrives in pieces. */
const lineCharsMax = 16 * 1_024;
/** Held back when a long line is cut, so that no secret is cut in two and shown in halves. */
const heldBackChars = 4 * 1_024;

/** Cuts a program's output into lines as a terminal would show them (of a progress line only its last state), redacted. */
export function outputLines(
  redact: (text: string) => string,
  onLine: (text: string) => void,
): { write(chunk: Uint8Array): void; end(): void } {
  const decoder = new TextDecoder();
  let rest = "";
  const emit = (line: string) => {
    const shown = line.replace(/\r+$/, "");
    onLine(redact(shown.slice(shown.lastIndexOf("\r") + 1)).replaceAll("\0", "\uFFFD"));
  };
  const take = (text: string) => {
    const lines = (rest + text).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) emit(line);
    if (rest.length <= lineCharsMax) return;
    rest = redact(rest);
    while (rest.length > lineCharsMax) {
      emit(rest.slice(0, lineCharsMax - heldBackChars));
      rest = rest.slice(lineCharsMax - heldBackChars);
    }
  };
  return {
    write: (chunk) => take(decoder.decode(chunk, { stream: true })),
    end() {
      take(decoder.decode());
      if (rest !== "") emit(rest);
      rest = "";
    },
  };
}
