/** The processes' ports, counted from one base; all on loopback. */
export function portsFrom(base: number) {
  return {
    stardeck: base,
    api: base + 1,
    gateway: base + 2,
    gatewayAdmin: base + 3,
    shuttle: base + 4,
    telemetry: base + 5,
    postgres: base + 6,
    metrics: base + 7,
    worker: base + 8,
    registry: base + 9,
  } as const;
}

export type Ports = ReturnType<typeof portsFrom>;
