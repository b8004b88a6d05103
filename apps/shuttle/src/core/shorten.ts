import { storableText } from "@starform/std/storable";

/** One line of at most so many characters, none of them cut in half. */
export function shorten(text: string, lengthMax = 200): string {
  const line = storableText(text.replaceAll(/\s+/g, " ").trim());
  return line.length > lengthMax ? `${line.slice(0, lengthMax - 1).toWellFormed()}…` : line;
}
