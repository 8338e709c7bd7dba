/** Where Kibana lives on a host; its log is the journal's. */
export const USER = 'kibana';
export const UNIT = 'kibana.service';
export const HOME = '/opt/kibana';
export const CURRENT = `${HOME}/current`;
export const CONFIG = '/etc/kibana';
export const DATA = '/var/lib/kibana';
