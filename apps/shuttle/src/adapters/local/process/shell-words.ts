/** A word as the POSIX shell reads it back unchanged. */
export const quoted = (word: string): string =>
  /^[A-Za-z0-9_@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;

export const commandLine = (words: readonly string[]): string => words.map(quoted).join(" ");
