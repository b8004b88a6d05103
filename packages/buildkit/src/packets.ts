import { codec } from "./protocol.ts";

/** A file, folder or link as it is named before its content travels. */
export type FileStat = {
  path: string;
  mode: number;
  uid: number;
  gid: number;
  size: number;
  modTime: number;
  linkname: string;
};

/** What travels in a transfer of files, in either direction. */
export type Packet = { type: number; stat: Partial<FileStat>; id: number; data: Uint8Array };

export const packets = codec<Packet>("Packet");
export const packetKind = { stat: 0, request: 1, data: 2, finish: 3, error: 4 } as const;
