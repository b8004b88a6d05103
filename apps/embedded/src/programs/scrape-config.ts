/** A process that shows its metrics at `host:port/metrics`, perhaps only to the bearer of the token in a file. */
export type ScrapeTarget = string | { readonly address: string; readonly tokenFile: string };
export type ScrapeTargets = {
  /** Left out where the gateway is a cluster's. */
  readonly gateway?: ScrapeTarget;
  readonly shuttle: ScrapeTarget;
  readonly worker: ScrapeTarget;
};

/**
 * The file for `victoria-metrics -promscrape.config`. Series of Shuttle and the gateway carry the tenant themselves, so
 * labels of the scraped text win over those of the scrape. Node closes an idle connection after five seconds, and
 * VictoriaMetrics would wait two of the five it has after finding it closed: each scrape takes a connection of its own.
 */
export function scrapeConfig(targets: ScrapeTargets): string {
  const jobs = Object.entries(targets).map(([name, target]) => jobOf(name, target));
  return `global:\n  scrape_interval: 10s\n  scrape_timeout: 5s\nscrape_configs:\n${jobs.join("")}`;
}

function jobOf(name: string, target: ScrapeTarget): string {
  const { address, tokenFile } =
    typeof target === "string" ? { address: target, tokenFile: undefined } : target;
  const token = tokenFile === undefined ? "" : `    bearer_token_file: ${JSON.stringify(tokenFile)}\n`;
  return `  - job_name: ${name}
    honor_labels: true
    metrics_path: /metrics
    disable_keepalive: true
${token}    static_configs:
      - targets: [${JSON.stringify(address)}]
`;
}
