/** Logstash is installed once; every other role that needs one adds an instance of its own. */
export { logstash, type LogstashVars } from './variables.mts';
export { CURRENT, placesOf, USER, type Places } from './paths.mts';
export { canQuote, codec, pipelineText, plugin, type Pipeline, type Plugin, type Value } from './lscl.mts';
export { instance, javaFor, type Around, type Instance } from './instance.mts';
export { type JmxServer } from './jmx.mts';
export { stripped } from './stripped.mts';
export { askStats, instanceChecks, instanceReady, type Stats } from './checks.mts';
export { instanceDiagnosis } from './evidence.mts';
