/** Where Elasticsearch lives on a host: binaries, configuration, data and logs apart, so that a version is switched without touching data. */
export const USER = 'elasticsearch';
export const UNIT = 'elasticsearch.service';
export const HOME = '/opt/elasticsearch';
export const CURRENT = `${HOME}/current`;
export const CONFIG = '/etc/elasticsearch';
export const DATA = '/var/lib/elasticsearch';
export const LOGS = '/var/log/elasticsearch';
export const RUN = '/run/elasticsearch';
/** Where systemd is absent. */
export const PID_FILE = `${RUN}/elasticsearch.pid`;
/** What a node prints before its own log is open, where there is no journal. */
export const START_LOG = `${LOGS}/start.log`;
