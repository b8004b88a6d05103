const codes = {
  bold: [1, 22],
  dim: [2, 22],
  red: [31, 39],
  green: [32, 39],
  yellow: [33, 39],
  cyan: [36, 39],
} as const;
export type Colour = keyof typeof codes;

/** Colours text, or hands it back as it is where colours are off. */
export type Paint = (colour: Colour, text: string) => string;

export const paintWith =
  (isOn: boolean): Paint =>
  (colour, text) =>
    isOn ? `\u001b[${codes[colour][0]}m${text}\u001b[${codes[colour][1]}m` : text;

// oxlint-disable-next-line no-control-regex
const escapes = /\u001b(?:\[[0-?]*[ -/]*[@-~]|\][^\u0007\u001b\n]*(?:\u0007|\u001b\\)?|[@-Z\\-_])/g;
// oxlint-disable-next-line no-control-regex
const controls = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/;
const unsafe = new RegExp(`${escapes.source}|${controls.source}`, "g");

export const withoutColours = (text: string): string => text.replaceAll(escapes, "");

// oxlint-disable-next-line no-control-regex
const colourOnly = /^\u001b\[[0-9;:]*m$/;

/**
 * Text in which an app may have its say, safe on a terminal: its lines and colours stay, what would move the cursor, set a
 * title or fill the clipboard goes. In one pass, so that nothing becomes a sequence by what is taken out of it.
 */
export const safeText = (text: string, mayColour: boolean): string =>
  text.replaceAll(unsafe, (found) => (mayColour && colourOnly.test(found) ? found : "")) +
  (mayColour && text.includes("\u001b[") ? "\u001b[0m" : "");
