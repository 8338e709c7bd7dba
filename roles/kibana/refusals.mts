/** Reasons not to touch a host, found before anything on it is changed. */
import { privateOnly, type Answer, type Context, type Refusal } from '../../lib/index.mts';
import { clusterFor, elasticsearch } from '../elasticsearch/contract.mts';
import type { KibanaVars } from './contract.mts';
import { showOwner, type Owner } from './port.mts';

/** Who else has the port; `undefined` when nobody has. */
export type Peer = Owner | undefined;
export type Here = Context<KibanaVars, Peer>;

const usage = (reason: string, hint: string): Refusal => ({ kind: 'usage', reason, hint });
const refused = (reason: string, hint: string): Refusal => ({ kind: 'refused', reason, hint });

export const refusals = (here: Here): readonly Refusal[] => [...exposure(here), ...systemd(here), ...cluster(here), ...port(here)];

/** Wider ranges are half of the internet, not somebody's network. */
const WIDEST = { ipv4: 8, ipv6: 16 };

function exposure({ host, vars }: Here): readonly Refusal[] {
  if (vars.exposure === 'private' || host.privateAddress === undefined) {
    return privateOnly(host, 'Kibana').map((refusal) =>
      refusal.kind === 'usage' ? refusal : { ...refusal, hint: `${refusal.hint}, or say kibana_exposure: public with kibana_exposure_sources` },
    );
  }
  if (vars.exposure_sources === undefined)
    return [usage('kibana_exposure is public, but nobody says for whom', 'list the address ranges that may reach it in kibana_exposure_sources')];
  const wide = vars.exposure_sources.filter((range) => Number(range.split('/')[1]) < (range.includes(':') ? WIDEST.ipv6 : WIDEST.ipv4));
  return wide.map((range) =>
    refused(`kibana_exposure_sources has ${range}: Kibana has no login, and that is nearly everybody`, 'name the networks of the people who use it'),
  );
}

const systemd = ({ host, facts }: Here): readonly Refusal[] =>
  facts.init === 'systemd' ? [] : [usage(`${host.name} has no systemd to run Kibana`, 'put a host with systemd into the group monitoring')];

const minor = (version: string): string => version.split('.').slice(0, 2).join('.');

/** Kibana stops at Elasticsearch of another major or an older minor, and mixed minors are nobody's wish. */
function cluster({ host, vars, inventory }: Here): readonly Refusal[] {
  const nodes = clusterFor(inventory, host);
  if (nodes.length === 0)
    return [usage('the group es_masters is empty: Kibana has nowhere to keep and find anything', 'put the Elasticsearch hosts into es_masters')];
  const others = nodes.filter((node) => minor(node.vars(elasticsearch).version) !== minor(vars.version));
  const [first] = others;
  if (first === undefined) return [];
  return [
    usage(
      `Kibana ${vars.version} does not go with Elasticsearch ${first.vars(elasticsearch).version} (${others.map(({ name }) => name).join(', ')})`,
      'kibana_version and elasticsearch_version must agree in the first two numbers',
    ),
  ];
}

function port({ host, vars, peers }: Here): readonly Refusal[] {
  const owner: Answer<Peer> | undefined = peers.get(host.name);
  if (vars.take_over_port || owner?.kind !== 'known' || owner.value === undefined) return [];
  return [
    refused(
      `port ${String(vars.port)} of ${host.name} is in use by ${showOwner(owner.value)}`,
      'stop it, choose another kibana_port, or say kibana_take_over_port: true to have it stopped cleanly',
    ),
  ];
}
