/** Where things are on a host. */
export const USER = 'logstash';
export const HOME = '/opt/logstash';
export const CURRENT = `${HOME}/current`;

/** Of one instance: each has its own, so that several live beside each other. */
export interface Places {
  readonly unit: string;
  readonly config: string;
  readonly pipeline: string;
  readonly data: string;
  readonly logs: string;
  readonly log: string;
}

export const placesOf = (name: string): Places => ({
  unit: `logstash-${name}.service`,
  config: `/etc/logstash-${name}`,
  pipeline: `/etc/logstash-${name}/pipeline.conf`,
  data: `/var/lib/logstash-${name}`,
  logs: `/var/log/logstash-${name}`,
  log: `/var/log/logstash-${name}/logstash-plain.log`,
});
