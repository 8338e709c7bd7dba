/** Access scopes by the aliases that gcloud (SDK 528) has for single ones. */
const BASE = 'https://www.googleapis.com/auth/';
const ALIASES = {
  bigquery: 'bigquery',
  'cloud-platform': 'cloud-platform',
  'cloud-source-repos': 'source.full_control',
  'cloud-source-repos-ro': 'source.read_only',
  'compute-ro': 'compute.readonly',
  'compute-rw': 'compute',
  datastore: 'datastore',
  'logging-write': 'logging.write',
  monitoring: 'monitoring',
  'monitoring-read': 'monitoring.read',
  'monitoring-write': 'monitoring.write',
  pubsub: 'pubsub',
  'service-control': 'servicecontrol',
  'service-management': 'service.management.readonly',
  'sql-admin': 'sqlservice.admin',
  'storage-full': 'devstorage.full_control',
  'storage-ro': 'devstorage.read_only',
  'storage-rw': 'devstorage.read_write',
  taskqueue: 'taskqueue',
  trace: 'trace.append',
  'userinfo-email': 'userinfo.email',
} as const;

const isAlias = (scope: string): scope is keyof typeof ALIASES => Object.hasOwn(ALIASES, scope);
export const isScope = (text: string): boolean => isAlias(text) || text.startsWith(BASE);

/** Addresses of scopes as the Compute API shows them, sorted, each once. */
export const scopeAddresses = (scopes: readonly string[]): readonly string[] =>
  [...new Set(scopes.map((scope) => (isAlias(scope) ? `${BASE}${ALIASES[scope]}` : scope)))].sort();
