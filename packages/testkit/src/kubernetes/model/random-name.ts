/** The letters of generated names: no vowels, and nothing that looks like another letter. */
const letters = "bcdfghjklmnpqrstvwxz2456789";

/** Five letters, as `generateName` appends them. */
export const randomSuffix = (random: () => number): string =>
  Array.from({ length: 5 }, () => letters[Math.floor(random() * letters.length)]).join("");

/** A hash of any text in the letters of generated names, as `pod-template-hash` is written. */
export function safeHash(text: string): string {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index++) {
    hash ^= text.charCodeAt(index);
    hash = Math.imul(hash, 0x01000193) >>> 0;
  }
  return [...String(hash)].map((digit) => letters[Number(digit) % letters.length]).join("");
}
