import { JNDI_LOOKUP, strippedJars, type Resource } from '../../lib/index.mts';
import { CURRENT } from './paths.mts';

/** Log4Shell: plugins bring copies of log4j of their own, so whoever installs one looks again. */
export const stripped = (after: readonly Resource[]): Resource => strippedJars('log4shell', { under: CURRENT, entry: JNDI_LOOKUP, after });
