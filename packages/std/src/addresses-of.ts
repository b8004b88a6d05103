import { lookup } from "node:dns/promises";

/** What a host of a URL stands for now, this machine's loopback left out. Rejects where no name server knows it. */
export async function addressesOf(host: string): Promise<{ readonly v4: string[]; readonly v6: string[] }> {
  const found = await lookup(host.replace(/^\[(.*)\]$/, "$1"), { all: true });
  const of = (version: number, loopback: RegExp): string[] =>
    found.flatMap(({ address, family }) => (family === version && !loopback.test(address) ? [address] : []));
  return { v4: of(4, /^127\./), v6: of(6, /^::1$/) };
}
