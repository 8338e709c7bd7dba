/** The settings of the OSS edition: there is none that begins with xpack. */

export type Kind = 'string' | 'number' | 'boolean' | 'duration' | 'strings' | 'object' | 'any';

const KNOWN: Readonly<Record<Exclude<Kind, 'any'>, readonly string[]>> = {
  string: [
    ...['server.basePath', 'server.defaultRoute', 'server.host', 'server.name', 'server.uuid'],
    ...['server.ssl.certificate', 'server.ssl.key', 'server.ssl.keyPassphrase', 'server.ssl.keystore.path', 'server.ssl.keystore.password'],
    ...['server.ssl.truststore.path', 'server.ssl.truststore.password', 'server.ssl.clientAuthentication'],
    ...['elasticsearch.username', 'elasticsearch.password', 'elasticsearch.apiVersion', 'elasticsearch.preserveHost'],
    ...['elasticsearch.ssl.certificate', 'elasticsearch.ssl.key', 'elasticsearch.ssl.keyPassphrase', 'elasticsearch.ssl.verificationMode'],
    ...['elasticsearch.ssl.keystore.path', 'elasticsearch.ssl.keystore.password', 'elasticsearch.ssl.truststore.path', 'elasticsearch.ssl.truststore.password'],
    ...['kibana.index', 'kibana.defaultAppId', 'path.data', 'pid.file', 'i18n.locale', 'logging.dest', 'logging.timezone', 'env.basePath'],
    ...['map.tilemap.url', 'map.manifestServiceUrl', 'map.emsFileApiUrl', 'map.emsTileApiUrl', 'map.emsLandingPageUrl', 'map.emsFontLibraryUrl', 'tilemap.url'],
    ...[
      'telemetry.url',
      'telemetry.config',
      'telemetry.optInStatusUrl',
      'telemetry.sendUsageFrom',
      'newsfeed.service.urlRoot',
      'newsfeed.service.pathTemplate',
    ],
    'apm_oss.indexPattern',
  ],
  number: [
    ...['server.port', 'server.maxPayloadBytes', 'server.keepaliveTimeout', 'server.socketTimeout', 'server.ssl.redirectHttpFromPort'],
    ...['savedObjects.maxImportPayloadBytes', 'savedObjects.maxImportExportSize', 'logging.rotate.everyBytes', 'logging.rotate.keepFiles'],
    ...['logging.rotate.pollingInterval', 'migrations.batchSize', 'migrations.pollInterval'],
  ],
  duration: [
    ...['elasticsearch.requestTimeout', 'elasticsearch.pingTimeout', 'elasticsearch.shardTimeout', 'elasticsearch.healthCheck.delay'],
    ...['elasticsearch.sniffInterval', 'migrations.scrollDuration', 'kibana.autocompleteTimeout', 'kibana.autocompleteTerminateAfter', 'ops.interval'],
    ...['newsfeed.mainInterval', 'newsfeed.fetchInterval'],
  ],
  boolean: [
    ...['server.rewriteBasePath', 'server.autoListen', 'server.cors', 'server.compression.enabled', 'server.ssl.enabled'],
    ...['server.xsrf.disableProtection', 'elasticsearch.sniffOnStart', 'elasticsearch.sniffOnConnectionFault', 'elasticsearch.logQueries'],
    ...['elasticsearch.ignoreVersionMismatch', 'elasticsearch.ssl.alwaysPresentCertificate', 'kibana.enabled', 'kibana.disableWelcomeScreen', 'pid.exclusive'],
    ...['logging.json', 'logging.quiet', 'logging.silent', 'logging.verbose', 'logging.rotate.enabled', 'logging.rotate.usePolling'],
    ...[
      'status.allowAnonymous',
      'csp.strict',
      'csp.warnLegacyBrowsers',
      'migrations.skip',
      'migrations.enableV2',
      'plugins.initialize',
      'map.includeElasticMapsService',
    ],
    ...[
      'telemetry.enabled',
      'telemetry.optIn',
      'telemetry.allowChangingOptInStatus',
      'telemetry.banner',
      'newsfeed.enabled',
      'security.showInsecureClusterWarning',
    ],
    ...['console.enabled', 'timelion.enabled', 'timelion.ui.enabled', 'metrics.enabled', 'vega.enabled', 'vega.enableExternalUrls', 'vis_type_table.enabled'],
    ...[
      'vis_type_table.legacyVisEnabled',
      'vis_type_vislib.enabled',
      'vis_type_xy.enabled',
      'input_control_vis.enabled',
      'region_map.enabled',
      'tile_map.enabled',
    ],
    ...['tilemap.enabled', 'data.autocomplete.querySuggestions.enabled', 'data.autocomplete.valueSuggestions.enabled', 'apm_oss.enabled'],
    ...['usageCollection.uiMetric.enabled', 'usageCollection.uiMetric.debug', 'dashboard.allowByValueEmbeddables', 'visualize.showNewVisualizeFlow'],
  ],
  strings: [
    ...['elasticsearch.hosts', 'elasticsearch.requestHeadersWhitelist', 'elasticsearch.ssl.certificateAuthorities', 'server.xsrf.whitelist'],
    ...['server.ssl.certificateAuthorities', 'server.ssl.cipherSuites', 'server.ssl.supportedProtocols', 'server.compression.referrerWhitelist'],
    ...['csp.rules', 'console.proxyFilter', 'plugins.paths', 'plugins.scanDirs', 'timelion.graphiteUrls'],
  ],
  object: [
    ...['server.customResponseHeaders', 'elasticsearch.customHeaders', 'uiSettings.overrides', 'logging.events', 'logging.filter', 'logging.appenders'],
    ...['logging.loggers', 'logging.root', 'map.regionmap', 'regionmap', 'map.tilemap.options', 'tilemap.options', 'console.proxyConfig', 'deprecation'],
  ],
};

const KINDS = new Map<string, Kind>(Object.entries(KNOWN).flatMap(([kind, keys]) => keys.map((key) => [key, kind as Kind] as const)));

export function kindOf(key: string): Kind | undefined {
  const kind = KINDS.get(key);
  if (kind !== undefined) return kind;
  return KNOWN.object.some((open) => key.startsWith(`${open}.`)) ? 'any' : undefined;
}
