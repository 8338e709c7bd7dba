import { defineRole, isNotValidNow, unreached, type Context, type Refusal, type Unreached } from '../../lib/index.mts';
import { sources, type SourcesVars } from './contract.mts';

type Here = Context<SourcesVars>;

export default defineRole<SourcesVars>({
  contract: sources,
  summary: 'before anything is changed, each host proves that it reaches the packages and archives it will need',
  runs: 'host',
  per: 'host',
  looksAhead: true,
  refuses: ({ host, vars }) => incomplete(host.name, vars),
  objects: (here) => {
    const fetches = here.upcoming().flatMap((resource) => resource.fetches ?? []);
    return unreached(fetches).map((missed) => refusals(here, missed));
  },
  resources: () => [],
});

/** A login for no proxy, and half of one. */
function incomplete(name: string, { https_proxy: proxy, https_proxy_user: user, https_proxy_password: password }: SourcesVars): readonly Refusal[] {
  const refuse = (lacks: string, given: string): readonly Refusal[] => [
    { kind: 'usage', reason: `${name} has ${given} without ${lacks}`, hint: `set ${lacks} as well, or take ${given} away` },
  ];
  if (proxy === undefined && user !== undefined) return refuse('sources_https_proxy', 'sources_https_proxy_user');
  if (password !== undefined && user === undefined) return refuse('sources_https_proxy_user', 'sources_https_proxy_password');
  return [];
}

function refusals({ host, vars }: Here, missed: readonly Unreached[]): readonly Refusal[] {
  return missed.map((one) => {
    const { kind, url, proxy, reason } = one;
    const what = kind === 'archive' ? 'an archive' : 'the packages';
    return {
      kind: 'refused',
      reason: `${host.name} cannot fetch ${what} it needs: ${url}${proxy === undefined ? '' : ` through ${proxy}`}: ${reason}`,
      hint: waysOut(host.provider, vars, one),
    };
  });
}

function waysOut(provider: string | undefined, { https_proxy: proxy, artifacts_mirror: mirror }: SourcesVars, { kind, instead, reason }: Unreached): string {
  const ways = [
    ...(isNotValidNow(reason) ? ['the right time, should its clock be wrong (chronyc tracking or timedatectl says it)'] : []),
    ...(provider === 'gcp' ? ['gcp_network_managed: true (Cloud NAT)'] : []),
    proxy === undefined ? 'sources_https_proxy' : 'another sources_https_proxy',
    ...(instead === undefined ? waysFor(kind, mirror) : [instead]),
  ];
  return `nothing was changed there; give it a way: ${ways.join('; ')}`;
}

const waysFor = (kind: Unreached['kind'], mirror: string | undefined): readonly string[] =>
  kind === 'packages'
    ? ["a package mirror in the host's own configuration, or an image that has the packages"]
    : [
        mirror === undefined ? 'sources_artifacts_mirror' : 'another sources_artifacts_mirror',
        'PRODUCT_delivery: controller, which sends the archive from here',
      ];
