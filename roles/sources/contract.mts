import { z } from 'zod';
import { contract, mirrored, secretSchema, type ArchiveOrigin, type Host, type Proxy } from '../../lib/index.mts';

const address = (protocol: RegExp, what: string) =>
  z.url({ protocol, error: what }).refine((text) => URL.canParse(text) && new URL(text).username === '' && new URL(text).search === '', {
    error: `${what}, without a name, a password or a query`,
  });

/** How hosts without a way of their own to the internet come to packages and archives. */
export const sources = contract(
  'sources',
  z.strictObject({
    https_proxy: address(/^http$/, 'an address such as http://proxy.example.com:3128')
      .describe("Proxy through which the host's package manager and its downloads go.")
      .exactOptional(),
    https_proxy_user: z.string().min(1).describe('Name for that proxy, where it wants one.').exactOptional(),
    https_proxy_password: secretSchema.describe('Password for it, as a reference.').exactOptional(),
    artifacts_mirror: address(/^https$/, 'an address such as https://mirror.example.com/downloads')
      .describe(
        'Where archives are instead of artifacts.elastic.co/downloads and archive.apache.org/dist, under the same paths; never asked through the proxy. Digests stay those of the vendors.',
      )
      .exactOptional(),
  }),
);

export type SourcesVars = NonNullable<(typeof sources)['typeOfVariables']>;

/** The proxy of a host, to be handed to what fetches something there. */
export function proxyOf(host: Host): { readonly proxy?: Proxy } {
  const { https_proxy: url, https_proxy_user: user, https_proxy_password: password } = host.vars(sources);
  if (url === undefined) return {};
  return { proxy: { url, ...(user === undefined ? {} : { user }), ...(password === undefined ? {} : { password }) } };
}

/** An archive as the host is to get it: from the mirror, else through the proxy, else as it is. */
export function reachable(host: Host, source: ArchiveOrigin): ArchiveOrigin {
  if (source.from === 'controller') return source;
  const { artifacts_mirror: mirror } = host.vars(sources);
  return mirror === undefined ? { ...source, ...proxyOf(host) } : { ...source, url: mirrored(source.url, mirror) };
}
