import type { Column } from "./kind.ts";

const age: Column = { name: "Age", type: "date", path: ".metadata.creationTimestamp" };

/** What `kubectl get` shows of a kind; the paths that are no plain field are worked out in `http/cells.ts`. */
export const columnsOf = (_kind: string): readonly Column[] => [
  { name: "Name", type: "string", path: ".metadata.name" },
  age,
];
