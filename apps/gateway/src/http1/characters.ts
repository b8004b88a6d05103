/** Which bytes HTTP/1.1 allows where (RFC 9110 section 5.6.2, RFC 9112): tables, because every byte of a head passes here. */

const table = (allowed: (code: number) => boolean): Uint8Array =>
  Uint8Array.from({ length: 256 }, (_, code) => (allowed(code) ? 1 : 0));

const tokenSymbols = "!#$%&'*+-.^_`|~";
const tokenTable = table(
  (code) => /[0-9A-Za-z]/.test(String.fromCharCode(code)) || tokenSymbols.includes(String.fromCharCode(code)),
);
/** Visible characters, space, tab and the bytes above ASCII: no NUL, no CR, no LF, no other control. */
const valueTable = table((code) => code === 9 || (code >= 32 && code !== 127));
const targetTable = table((code) => code > 32 && code !== 127);

const allIn = (allowed: Uint8Array, text: string, from: number, to: number): boolean => {
  for (let at = from; at < to; at++) if (allowed[text.charCodeAt(at)] !== 1) return false;
  return true;
};

export const isToken = (text: string, from = 0, to = text.length): boolean =>
  to > from && allIn(tokenTable, text, from, to);
export const isFieldValue = (text: string, from = 0, to = text.length): boolean =>
  allIn(valueTable, text, from, to);
export const isTarget = (text: string, from = 0, to = text.length): boolean =>
  to > from && allIn(targetTable, text, from, to);
