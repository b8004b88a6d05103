import { openLogShipper } from "@starform/log-shipper/log-shipper";
import { openAdmin } from "../admin/server.ts";
import type { Config } from "../config.ts";
import { defaultLimits, type Limits } from "../proxy/limits.ts";
import { openProxy } from "../proxy/server.ts";
import { routeTable } from "../routing/route-table.ts";
import { stateFile } from "../routing/state-file.ts";
import { accessLog, noAccessLog } from "../telemetry/access-log.ts";
import { routeMetrics } from "../telemetry/metrics.ts";

export type OpenGateway = AsyncDisposable & { readonly port: number; readonly adminPort: number };

/** Opens the gateway with the routes of its last life; resolves once both ports listen. */
export async function openGateway(config: Config, limits: Limits = defaultLimits): Promise<OpenGateway> {
  await using stack = new AsyncDisposableStack();
  const say = (message: string): void => console.error(message);
  const [table, metrics, state] = [routeTable(), routeMetrics(), stateFile(config.stateFile, say)];
  const stored = await state.load();
  if (stored) table.replace(stored);

  const shipper = config.telemetry && stack.use(openLogShipper({ ...config.telemetry, onError: say }));
  const access = shipper ? accessLog(shipper) : noAccessLog;
  const proxy = stack.use(await openProxy({ table, metrics, access, limits }, config.traffic));
  proxy.doors.follow(table.current.doors);
  const metricsText = (): string =>
    metrics.text(table.current.routes, {
      client_connections: proxy.clients(),
      routes: table.current.routes.length,
      access_records_dropped: shipper?.dropped ?? 0,
      resident_memory_bytes: process.memoryUsage.rss(),
    });
  const admin = stack.use(
    await openAdmin(
      { table, state, doors: proxy.doors, token: config.admin.token, metrics: metricsText },
      config.admin,
    ),
  );
  console.log(
    `gateway: apps at http://*.localhost:${proxy.port}, admin on 127.0.0.1:${admin.port}, ${table.current.routes.length} stored routes`,
  );

  const resources = stack.move();
  return { port: proxy.port, adminPort: admin.port, [Symbol.asyncDispose]: () => resources.disposeAsync() };
}
