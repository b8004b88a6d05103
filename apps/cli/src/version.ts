/** Held equal to package.json's by a test, so that a bundle needs no file beside it. */
export const version = "0.1.0";
