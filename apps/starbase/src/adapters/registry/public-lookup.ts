import { lookup, type LookupAddress } from "node:dns";
import { BlockList, isIP, type LookupFunction } from "node:net";
import { metadataNetworks } from "@starform/std/metadata-networks";

/** Networks that nobody outside reaches: this machine's, the platform's own, a cloud's metadata (RFC 6890). */
const closed = new BlockList();
for (const [network, bits] of [
  ["0.0.0.0", 8],
  ["10.0.0.0", 8],
  ["100.64.0.0", 10],
  ["127.0.0.0", 8],
  ["172.16.0.0", 12],
  ["192.0.0.0", 24],
  ["192.168.0.0", 16],
  ["198.18.0.0", 15],
  ["224.0.0.0", 3],
] as const)
  closed.addSubnet(network, bits, "ipv4");
for (const [network, bits] of [
  ["::", 127],
  ["64:ff9b::", 96],
  ["fc00::", 7],
  ["ff00::", 8],
] as const)
  closed.addSubnet(network, bits, "ipv6");

for (const [family, networks] of [
  ["ipv4", metadataNetworks.v4],
  ["ipv6", metadataNetworks.v6],
] as const)
  for (const network of networks) {
    const [address = "", bits] = network.split("/");
    closed.addSubnet(address, Number(bits), family);
  }

/** Whether the address lies in the public network; an IPv4 one in IPv6 clothes is judged as what it is. */
export function isPublicAddress(address: string): boolean {
  const family = isIP(address);
  if (family === 0) return false;
  return !closed.check(address, family === 4 ? "ipv4" : "ipv6");
}

/** Looks a name up for a connection and refuses it when any of its addresses is not public. */
export const publicLookup: LookupFunction = (hostname, options, callback) =>
  lookup(hostname, { ...options, all: true }, (error, found) => {
    const addresses = (found ?? []) as LookupAddress[];
    if (error) return callback(error, "", 0);
    const refused = addresses.find(({ address }) => !isPublicAddress(address));
    if (refused) return callback(notPublic(hostname), "", 0);
    if (options.all) return callback(null, addresses);
    const first = addresses[0]!;
    return callback(null, first.address, first.family);
  });

export const notPublic = (hostname: string): Error =>
  new Error(`${hostname} does not lie in the public network`);
