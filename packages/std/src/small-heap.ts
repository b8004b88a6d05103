import { setFlagsFromString } from "node:v8";

/**
 * Trades a little processor time for memory, in a process that lives long and mostly waits. As V8 has it, garbage may grow
 * to several times of what is in use before it is looked for: here to a tenth of it, and new objects get the space that they
 * have at the time of the call: make it before other modules are imported, whose loading lets that space grow.
 */
export function keepHeapSmall(): void {
  setFlagsFromString("--heap-growing-percent=10");
  setFlagsFromString("--semi-space-growth-factor=1");
}
