import type { Provider } from "../provider.ts";
import { go } from "./go/go.ts";
import { node } from "./node/node.ts";
import { python } from "./python/python.ts";
import { shell } from "./shell/shell.ts";
import { staticfile } from "./staticfile/staticfile.ts";

/** Railpack's order: the first that detects the source plans it. */
export const providersInOrder: readonly Provider[] = [go, python, node, staticfile, shell];
