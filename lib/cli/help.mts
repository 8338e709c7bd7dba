import type { Playbook } from '../plan/model.mts';

/** `--help`: what it is for, examples, options, exit codes. */
export const helpText = ({ name, summary, stages }: Playbook, readOnly: boolean): string => `${summary}

Usage: npx zx playbooks/${name}.mts -i INVENTORY [options]

Examples:
  npx zx playbooks/${name}.mts -i inventory/lab.yaml
  npx zx playbooks/${name}.mts -i inventory/lab.yaml --limit 'es_masters:!es-01'${
    readOnly
      ? ''
      : `
  npx zx playbooks/${name}.mts -i inventory/lab.yaml --role os-limits --check --diff`
  }

What to work on:
  -i, --inventory FILE      inventory in Ansible's YAML; may be given several times
  -l, --limit PATTERN       hosts: name, glob, group, a,b  a:&b  a:!b
  -r, --role A,B            only these roles (also -t, --tags):
${wrapped([...new Set(stages.flatMap(({ roles }) => roles.map((role) => role.name)))])}
  -e, --extra-vars K=V      a variable, or @file.yaml; beats the inventory
      --retry-failed        only the hosts that the last run left unfinished

How to work:
${
  readOnly
    ? ''
    : `  -C, --check               change nothing; exit 2 if anything would change
      --verify-only         judge the running system, change nothing
      --no-restart          write, but leave restarts pending
      --serial N|N%         hosts of a stage, and members of a rollout, at a time
      --yes                 also what nobody does by accident: another version
`
}      --forks N             hosts worked on at a time (64)
      --max-failures N      stop when more hosts than this have failed

What to say:
  -D, --diff                show what differs, line by line
      --json                one document on stdout when it is over (lib/report/schema)
      --events FILE         one JSON line an event, as it happens
      --profile             where the run's time went: phases, slowest hosts
      --list-hosts, --list-roles, --syntax-check
  -v, -vv, -q, --no-color, --version, -h, --help

How to log in:
  -u, --user NAME           login user
      --private-key FILE    key to log in with
  -K, --ask-become-pass     ask once for the sudo password

Exit codes: 0 in order or done · 1 a host failed · 2 something differs (check, drift) · 3 a host could not be reached or read
            4 usage or inventory · 5 refused by a safety rule · 6 locked by another run · 70 a bug here · 130/143 interrupted
`;

/** Names in lines of at most 100 columns, below the explanation they belong to. */
function wrapped(names: readonly string[]): string {
  const indent = ' '.repeat(28);
  const lines: string[] = [];
  let line = '';
  for (const name of names) {
    if (indent.length + line.length + name.length > 98) {
      lines.push(line);
      line = '';
    }
    line += `${line === '' ? '' : ' '}${name}${name === names.at(-1) ? '' : ','}`;
  }
  return [...lines, line].map((each) => indent + each).join('\n');
}
