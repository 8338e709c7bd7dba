/** Each rule is a resource of its own, and what is no longer wanted is one for each realm: all of them ask the project's one list. */
import { change, controllerCommand, gcloud, gcloudList, type Inventory, type Question, type Resource } from '../../lib/index.mts';
import { isOurs } from './contract.mts';
import { deletion, repairs, ruleChanges, standInName } from './compare.mts';
import type { Realm } from './realms.mts';
import { firewallRule, ruleText, type FirewallRule } from './rule.mts';
import { wantedRules } from './wanted.mts';

/** All rules of the realm's project, asked once for everybody; none while the Compute API is off in a project whose network is made by the run. */
export const listedRules = ({ project, mayBeOff }: Realm): Question<readonly FirewallRule[]> =>
  gcloudList(firewallRule, gcloud(['compute', 'firewall-rules', 'list'], { project }), { mayBeOff });

export function realmResources(inventory: Inventory, realm: Realm): readonly Resource[] {
  if (!realm.settings.managed) return [];
  const wanted = wantedRules(inventory, realm);
  return [...wanted.map((rule) => ruleResource(rule, realm)), leftovers(wanted, realm)];
}

function ruleResource(wanted: FirewallRule, realm: Realm): Resource {
  const { project } = realm;
  const named = (name: string, rules: readonly FirewallRule[]): FirewallRule | undefined => rules.find((rule) => rule.name === name);
  return controllerCommand(`firewall rule ${project}/${wanted.name}`, {
    because: reasons(wanted),
    apart: true,
    wanted: JSON.stringify(wanted),
    differs: listedRules(realm).map((rules) => ruleChanges(wanted, named(wanted.name, rules), named(standInName(wanted.name), rules))),
    run: (steps, changes) => {
      for (const argv of repairs(wanted, changes, project)) steps.controller(argv);
    },
  });
}

/** The variables that its sources may come from. */
const reasons = ({ name }: FirewallRule): readonly string[] =>
  name.includes('-operators') ? ['firewall_gcloud_operators'] : name.includes('-extra-') ? ['firewall_gcloud_extra'] : ['firewall_gcloud_private_ranges'];

/** Rules that this program made for this prefix and that nothing calls for any more, last: what takes their place is there by then. */
function leftovers(wanted: readonly FirewallRule[], realm: Realm): Resource {
  const { project, prefix } = realm;
  const kept = new Set(wanted.flatMap(({ name }) => [name, standInName(name)]));
  return controllerCommand(`firewall rules no longer wanted in ${project} for ${prefix}`, {
    wanted: JSON.stringify([...kept]),
    differs: listedRules(realm).map((rules) =>
      rules
        .filter((rule) => isOurs(rule, prefix) && !kept.has(rule.name))
        .map((rule) => change(rule.name, ruleText(rule), { kind: 'absent' }, { consent: `deletion of ${rule.name}` })),
    ),
    run: (steps, changes) => {
      steps.controller(
        deletion(
          changes.map(({ field }) => field),
          project,
        ),
      );
    },
  });
}
