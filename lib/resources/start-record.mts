/**
 * Records what a service was started with. Restart is then a comparison and no event that can be missed: the recorded digest
 * differs from the wanted one, or the record belongs to another start than the one that is running.
 */
import { FIND_JARS } from '../plan/jars.mts';
import type { Resource } from '../plan/model.mts';
import { inputsDigest, isOrdered, meaningless, posixPattern, type Input, type Syntax } from '../shell/digest.mts';
import { file } from './file.mts';
import { startRecordIds } from './ids.mts';
import type { Common } from './resource.mts';
import { dropIn } from './unit-file.mts';

export type { Input, Syntax };

export const START_RECORD = '/usr/local/lib/kafka-elastic-monitoring/start-record';

/** Where the record of a unit is: `<InvocationID> <digest>`. On a tmpfs: no service of before a reboot is running. */
export const recordPath = (unit: string): string => `/run/kafka-elastic-monitoring/${unit}`;

/** Must give the digest that `inputsDigest` gives of the same contents. grep ends its last line, and takes bytes for letters in the C locale. */
export const START_RECORD_SCRIPT = `#!/bin/sh
# Usage: start-record UNIT INPUT...     writes "<invocation> <digest>" to /run/kafka-elastic-monitoring/UNIT
#        start-record --digest INPUT... prints the digest
# INPUT: file IGNORED-LINES PATH | settings IGNORED-LINES PATH | link PATH | jars DIRECTORY ENTRY; of settings the order says nothing
# Run before each start of a service, so that what it was started with can be compared with what is wanted.
set -u
LC_ALL=C
export LC_ALL
umask 077

describe() {
  while [ $# -gt 0 ]; do
    case $1 in
      file | settings)
        if [ -f "$3" ]; then
          printf 'file %s\\n' "$3"
          if [ "$1" = file ]; then grep -Ev -e "$2" <"$3"; else grep -Ev -e "$2" <"$3" | sort; fi
        else
          printf 'absent %s\\n' "$3"
        fi
        shift 3
        ;;
      link)
        printf 'link %s %s\\n' "$2" "$(readlink -- "$2")"
        shift 2
        ;;
      jars)
        printf 'jars %s %s\\n' "$2" "$3"
        (under=$2 entry=$3; ${FIND_JARS}) 2>&1
        shift 3
        ;;
      *)
        echo "start-record: unknown input $1" >&2
        return 1
        ;;
    esac
  done
}

unit=$1
shift
digest=$(describe "$@" | sha256sum) || exit 1
digest=\${digest%% *}
if [ "$unit" = --digest ]; then
  printf '%s\\n' "$digest"
  exit 0
fi
directory=/run/kafka-elastic-monitoring
mkdir -p -- "$directory" || exit 1
printf '%s %s\\n' "\${INVOCATION_ID:-none}" "$digest" >"$directory/.$unit.new" || exit 1
mv -f -- "$directory/.$unit.new" "$directory/$unit"
`;

/** Arguments that describe the inputs to the script. */
export function inputArguments(inputs: readonly Input[]): readonly string[] {
  return inputs.flatMap((input) => {
    if ('link' in input) return ['link', input.link];
    if ('jars' in input) return ['jars', input.jars, input.without];
    const { path, syntax = 'lines', ignore } = input;
    const pattern = meaningless(syntax, ignore);
    posixPattern(pattern);
    return [isOrdered(syntax) ? 'file' : 'settings', pattern, path];
  });
}

/** One word of an Exec line: quoted, and nothing expanded (systemd.service(5), "COMMAND LINES"). */
export function systemdWord(word: string): string {
  return `"${word.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('%', '%%').replaceAll('$', '$$$$')}"`;
}

/** `+`: as root whatever User= says; `-`: a record that cannot be written keeps no service down, it only shows as a restart that is due. */
export function startRecordDropIn(unit: string, inputs: readonly Input[]): string {
  const words = [START_RECORD, unit, ...inputArguments(inputs)].map(systemdWord);
  return `[Service]\nExecStartPre=-+/bin/sh ${words.join(' ')}\n`;
}

/** Script and drop-in that make a unit record its starts; `service` with inputs needs both. */
export function startRecord(unit: string, inputs: readonly Input[], options: Common = {}): readonly Resource[] {
  inputsDigest(inputs);
  const script = file(START_RECORD, { ...options, content: START_RECORD_SCRIPT, mode: 0o755, parents: true });
  return [{ ...script, id: startRecordIds(unit)[0] }, dropIn(unit, '50-start-record', startRecordDropIn(unit, inputs), options)];
}
