import { constant, controllerCommand, defineControllerRole, type Check, type Host, type Inventory, type Resource } from '../../lib/index.mts';
import { labHostsContract } from './contract.mts';
import { preflight } from './preflight.mts';
import { program } from './programs.mts';
import { hostChanges, isUp, lab, openFilesNote, place, type LabStatus } from './status.mts';
import { neighbours, PROVIDER, wantedHost, wantedHosts } from './wanted.mts';

export default defineControllerRole({
  contract: labHostsContract,
  summary: 'hosts of the lab on this machine: each exists, runs and lets its login user in',
  runs: 'controller',
  per: 'host',
  provides: PROVIDER,
  refuses: ({ inventory }) => preflight(inventory),
  resources: ({ host, inventory }) => [labHost(host, inventory)],
  verify: ({ host }) => [answers(host)],
});

function labHost(host: Host, inventory: Inventory): Resource {
  const id = `lab host ${host.name}`;
  const wanted = wantedHost(host);
  // The role refuses such a host; it has nothing to ask about it.
  if ('problem' in wanted) return controllerCommand(id, { differs: constant([]), run: () => undefined });
  const others = neighbours(wantedHosts(inventory));
  return controllerCommand(id, {
    because: ['ansible_host'],
    wanted: `${place(wanted)} ${others}`,
    differs: lab().map((status) => hostChanges(wanted, others, status)),
    argv: program('lab-host', 'up', wanted.name, wanted.address, wanted.port.toString(), others),
  });
}

function answers(host: Host): Check<LabStatus> {
  return {
    id: 'answers-ssh',
    ask: lab(),
    judge: ({ hosts, openFiles }) => {
      const made = hosts.find(({ name }) => name === host.name);
      if (made !== undefined && isUp(made))
        return { kind: 'pass', found: [`listens for ssh at ${place(made)}`, openFilesNote(openFiles)].filter((text) => text !== undefined).join('; ') };
      return {
        kind: 'fail',
        expected: 'a running host that listens for ssh',
        found: made?.state ?? 'no such host in the lab',
        hint: 'npx zx playbooks/lab.mts up starts it',
      };
    },
    retry: { everyMs: 200, deadlineMs: 5000 },
  };
}
