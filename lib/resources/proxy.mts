/** The way through a proxy: its password is in a file that only root can read, and from there on no command line and in no environment. */
import type { Proxy, Steps } from '../plan/model.mts';
import type { Content } from '../secret.mts';

/** With name and password, as curl, apt and dnf take it; percent-encoded, so that nothing in it needs quoting. */
function addressed({ url, user, password }: Proxy): Content {
  const { protocol, host } = new URL(url);
  if (user === undefined) return `${protocol}//${host}\n`;
  const login = [encodeURIComponent(user), ...(password === undefined ? [] : [':', password.inUrl()])];
  return { confidential: [`${protocol}//`, ...login, `@${host}\n`] };
}

/** Lays the proxy's address at `path` for a script that begins with `takeProxy`; without a proxy it does nothing. */
export function putProxy(steps: Steps, proxy: Proxy | undefined, path: string): void {
  if (proxy !== undefined) steps.put(path, addressed(proxy), { mode: 0o600, owner: 'root', group: 'root' });
}

/** Takes the address into `$proxy`, which is empty without one, and the file away; `path` is a word of sh. Only builtins see it. */
export const takeProxy = (path: string): string => `proxy=
if [ -f ${path} ]; then read -r proxy <${path} || :; rm -f -- ${path}; fi
`;
