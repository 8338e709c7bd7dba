import type { Change, Resource } from '../plan/model.mts';
import { all, groupEntry, known, passwd, refine } from '../plan/questions.mts';
import { absentShown, change, changeOf, has, resource, type Common } from './resource.mts';

export interface SystemUserOptions extends Common {
  readonly home: string;
  /** /usr/sbin/nologin unless said. */
  readonly shell?: string;
  /** A group of the user's own name unless said. */
  readonly group?: string;
}

const NOLOGIN = /\/(nologin|false)$/;

/** A system account. Its home directory is not made here. */
export function systemUser(name: string, options: SystemUserOptions): Resource {
  const { home, shell = '/usr/sbin/nologin', group = name } = options;
  return resource(`user ${name}`, options, {
    wanted: [home, shell, group],
    differs: refine(all({ user: passwd(name), group: groupEntry(group) }), (now) => {
      if (now.user === undefined) return known<readonly Change[]>([change('exists', absentShown, 'system user')]);
      // Distributions disagree about where nologin is; what counts is that nobody logs in.
      const sameShell = now.user.shell === shell || (NOLOGIN.test(shell) && NOLOGIN.test(now.user.shell));
      const sameGroup = now.user.gid === now.group?.gid;
      return known<readonly Change[]>([
        ...changeOf('home', now.user.home, home),
        ...(sameShell ? [] : changeOf('shell', now.user.shell, shell)),
        ...(sameGroup ? [] : [change('group', now.user.gid.toString(), group)]),
      ]);
    }),
    apply(changes, steps) {
      if (has(changes, 'exists') || has(changes, 'group')) steps.sh`getent group ${group} >/dev/null || groupadd --system -- ${group}`;
      if (has(changes, 'exists')) {
        steps.sh`useradd --system --no-create-home --home-dir ${home} --shell ${shell} --gid ${group} -- ${name}`;
        return;
      }
      if (has(changes, 'home')) steps.sh`usermod --home ${home} -- ${name}`;
      if (has(changes, 'shell')) steps.sh`usermod --shell ${shell} -- ${name}`;
      if (has(changes, 'group')) steps.sh`usermod --gid ${group} -- ${name}`;
    },
  });
}

export function systemGroup(name: string, options: Common = {}): Resource {
  return resource(`group ${name}`, options, {
    wanted: 'present',
    differs: groupEntry(name).map((now) => (now === undefined ? [change('exists', absentShown, 'system group')] : [])),
    apply(_changes, steps) {
      steps.sh`groupadd --system -- ${name}`;
    },
  });
}
