const deeds =
  "add|answer|ask|choose|commit|correct|create|delete|deploy|free|give|leave|let|list|listen|look|make|name|open|put|raise|remove|rename|renew|run|save|see|send|set|start|stop|take|try|type|update|use|wait|write";
const deed = new RegExp(`(?:[:;.,] |\\bor |\\band |\\bmust )(?:${deeds}|did you mean)\\b`, "i");

/**
 * Whether what a person is told is a sentence with the way out: one line that says what happened and then, as a clause
 * that begins with a verb, what to do. Where a command's output follows, that is the way out.
 */
export function hasWayOut(told: string): boolean {
  const [sentence = "", ...more] = told.trim().split("\n");
  return more.some((line) => line.trim() !== "") ? sentence !== "" : deed.test(sentence);
}
