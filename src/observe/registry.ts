// A metrics registry made from the catalogue, with every closed label value at zero from the start: a series
// that appears only with its first failure cannot be alerted on.
import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import { type MetricEntry, type MetricName, metricCatalogue } from './metric-catalogue.ts';

/** The metrics of one registry by name. Asking for a metric of another kind is a bug and throws. */
export interface MetricSet {
  readonly registry: Registry;
  gauge(name: MetricName): Gauge;
  counter(name: MetricName): Counter;
  histogram(name: MetricName): Histogram;
}

/** Every combination of label values; one empty combination without labels, none when a label is open. */
function labelSets(
  labels: Readonly<Record<string, readonly string[]>>,
): readonly Record<string, string>[] {
  return Object.entries(labels).reduce<readonly Record<string, string>[]>(
    (sets, [label, values]) =>
      sets.flatMap((set) => values.map((value) => ({ ...set, [label]: value }))),
    [{}],
  );
}

function make(
  name: MetricName,
  entry: MetricEntry,
  registry: Registry,
): Counter | Gauge | Histogram {
  const labels = entry.labels ?? {};
  const configuration = {
    name,
    help: entry.help,
    labelNames: Object.keys(labels),
    registers: [registry],
  };
  switch (entry.kind) {
    case 'gauge': {
      const gauge = new Gauge(configuration);
      for (const set of labelSets(labels)) gauge.set(set, 0);
      return gauge;
    }
    case 'counter': {
      const counter = new Counter(configuration);
      for (const set of labelSets(labels)) counter.inc(set, 0);
      return counter;
    }
    case 'histogram': {
      const histogram = new Histogram({ ...configuration, buckets: [...(entry.buckets ?? [])] });
      for (const set of labelSets(labels)) histogram.zero(set);
      return histogram;
    }
  }
}

/** A fresh registry with every metric of the catalogue in it. */
export function metricSet(): MetricSet {
  const registry = new Registry();
  const metrics = new Map(
    Object.entries(metricCatalogue).map(([name, entry]) => [
      name,
      make(name as MetricName, entry, registry),
    ]),
  );
  const find = <T>(name: MetricName, type: new (...configuration: never[]) => T): T => {
    const metric = metrics.get(name);
    if (metric instanceof type) return metric;
    throw new TypeError(`${name} is not a ${type.name.toLowerCase()}`);
  };
  return {
    registry,
    gauge: (name) => find(name, Gauge),
    counter: (name) => find(name, Counter),
    histogram: (name) => find(name, Histogram),
  };
}
