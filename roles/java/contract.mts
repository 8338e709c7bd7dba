import { z } from 'zod';
import { contract, type Facts } from '../../lib/index.mts';

export const java = contract(
  'java',
  z.strictObject({
    version: z.enum(['17', '11']).default('17').describe('Major version of the packaged Java.'),
    home: z
      .string()
      .regex(/^\/[\w./+-]*$/, 'an absolute path')
      .describe('Home of a Java that is already on the host: nothing is installed, this path is used.')
      .exactOptional(),
  }),
);

type Vars = { readonly version: string; readonly home?: string };

const DEBIAN_ARCH: Readonly<Record<string, string>> = { x86_64: 'amd64', aarch64: 'arm64' };
export const isDebianLike = (facts: Pick<Facts, 'os'>): boolean => facts.os === 'debian' || facts.os === 'ubuntu';

/** JAVA_HOME of the Java that the role provides: the packages' own, stable path. */
export function javaHome(vars: Vars, facts: Pick<Facts, 'os' | 'arch'>): string {
  if (vars.home !== undefined) return vars.home;
  if (!isDebianLike(facts)) return `/usr/lib/jvm/jre-${vars.version}-openjdk`;
  return `/usr/lib/jvm/java-${vars.version}-openjdk-${DEBIAN_ARCH[facts.arch] ?? facts.arch}`;
}

export const javaPackage = (vars: Vars, facts: Pick<Facts, 'os'>): string =>
  isDebianLike(facts) ? `openjdk-${vars.version}-jre-headless` : `java-${vars.version}-openjdk-headless`;
