/** What `ansible_ssh_common_args` may say, as far as it says something this program does. */
export interface SshArguments {
  jump?: string;
  knownHostsFile?: string;
  hostKeyChecking?: 'strict' | 'accept-new';
}

const UNSAFE =
  'host keys are always checked: write StrictHostKeyChecking=accept-new to accept a key on first sight, or connection_known_hosts_file with the keys in it';

/** The accepted options, or a sentence saying what cannot be honoured. */
export function parseSshArguments(text: string): SshArguments | string {
  const words = splitWords(text);
  if (words === undefined) return 'has a quote that is never closed';
  const found: SshArguments = {};
  while (words.length > 0) {
    const word = words.shift() ?? '';
    const flag = word.slice(0, 2);
    if (flag !== '-J' && flag !== '-o')
      return `holds ${JSON.stringify(word.slice(0, 40))}, which is not supported: only -J and -o ProxyJump, UserKnownHostsFile, StrictHostKeyChecking`;
    const argument = word.length > 2 ? word.slice(2) : words.shift();
    if (argument === undefined || argument.trim() === '') return `${flag} needs a value`;
    const wrong = flag === '-J' ? void (found.jump = argument) : option(argument.trim(), found);
    if (wrong !== undefined) return wrong;
  }
  return found;
}

function option(text: string, found: SshArguments): string | undefined {
  const [, name = '', value = ''] = /^([A-Za-z]+)\s*[=\s]\s*(.+)$/.exec(text) ?? [];
  switch (name.toLowerCase()) {
    case 'proxyjump':
      found.jump = value;
      return undefined;
    case 'userknownhostsfile':
      if (value === '/dev/null') return `holds UserKnownHostsFile=/dev/null; ${UNSAFE}`;
      if (/\s/.test(value)) return 'names more than one UserKnownHostsFile; one is supported';
      found.knownHostsFile = value;
      return undefined;
    case 'stricthostkeychecking':
      if (value === 'accept-new') found.hostKeyChecking = 'accept-new';
      else if (value === 'yes') found.hostKeyChecking = 'strict';
      else return `holds StrictHostKeyChecking=${value.slice(0, 20)}; ${UNSAFE}`;
      return undefined;
    default:
      return `holds option ${JSON.stringify((name === '' ? text : name).slice(0, 40))}, which is not supported: only ProxyJump, UserKnownHostsFile, StrictHostKeyChecking`;
  }
}

/** Words as a shell splits them; only quotes and backslashes are special. */
function splitWords(text: string): string[] | undefined {
  const words: string[] = [];
  let word: string | undefined;
  for (let index = 0; index < text.length; index++) {
    const character = text[index] ?? '';
    if (/\s/.test(character)) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else if (character === "'" || character === '"') {
      const end = text.indexOf(character, index + 1);
      if (end < 0) return undefined;
      word = (word ?? '') + text.slice(index + 1, end);
      index = end;
    } else {
      word = (word ?? '') + (character === '\\' ? (text[++index] ?? '') : character);
    }
  }
  if (word !== undefined) words.push(word);
  return words;
}
