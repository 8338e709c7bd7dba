/** The metrics that dashboards show, looked up in the catalogue of what is collected: a name that is not collected throws when this is loaded. */
import { METRICS, metricName, type JmxQuery } from '../logstash-jmx/contract.mts';

export interface Measure {
  /** The field `metric` of its documents. */
  readonly metric: string;
  readonly query: JmxQuery;
}

/** `object`: how the name of the object begins; client ids come after it. */
export function measure(object: string, attribute: string, key?: string): Measure {
  const found = METRICS.filter((query) => query.object.startsWith(object) && query.attributes.includes(attribute));
  const [query] = found;
  if (query === undefined || found.length > 1 || (key !== undefined && query.composite?.includes(key) !== true))
    throw new TypeError(`${String(found.length)} objects named ${object} are asked for ${attribute}${key === undefined ? '' : ` with ${key}`}`);
  return { metric: metricName(query, attribute, key), query };
}
