import { z } from 'zod';
import { change, controllerOutput, excerpt, question, type Answer, type Change, type ControllerOutput, type Question } from '../../lib/index.mts';
import { program } from './programs.mts';
import type { WantedHost } from './wanted.mts';

const madeHost = z.object({
  name: z.string(),
  address: z.string(),
  port: z.int(),
  image: z.string(),
  /** `unsupervised`: runs, but would not come back from a reboot. */
  state: z.enum(['running', 'stopped', 'unsupervised']),
  /** Somebody accepts connections at its ssh address. */
  listening: z.boolean(),
  neighbours: z.string(),
});
const labStatus = z.object({
  user: z.string(),
  supervisor: z.enum(['systemd', 'lab']),
  /** What a process of a host can have open at most. */
  openFiles: z.int(),
  hosts: z.array(madeHost),
});
export type MadeHost = z.output<typeof madeHost>;
export type LabStatus = z.output<typeof labStatus>;

const imageStatus = z.object({ image: z.string(), hasImage: z.boolean(), hasKey: z.boolean(), missingPackages: z.string() });
export type ImageStatus = z.output<typeof imageStatus>;

/** The JSON document that a program printed. */
export function document<S extends z.ZodType>(asked: Question<ControllerOutput>, schema: S): Question<z.output<S>> {
  return question(asked.asks, (answers): Answer<z.output<S>> => {
    const answer = asked.read(answers);
    if (answer.kind === 'unavailable') return answer;
    return readDocument(answer.value, schema);
  });
}

export function readDocument<S extends z.ZodType>({ code, stdout, stderr }: ControllerOutput, schema: S): Answer<z.output<S>> {
  if (code !== 0) return { kind: 'unavailable', reason: stderr.trim() || `exit code ${code.toString()}` };
  try {
    const checked = schema.safeParse(JSON.parse(stdout));
    if (checked.success) return { kind: 'known', value: checked.data };
  } catch {
    // Said below, with what came instead.
  }
  return { kind: 'unavailable', reason: `unexpected output: ${excerpt(stdout, 200)}` };
}

export const readLabStatus = (output: ControllerOutput): Answer<LabStatus> => readDocument(output, labStatus);
export const lab = (): Question<LabStatus> => document(controllerOutput(program('lab-host', 'status')), labStatus);
export const image = (): Question<ImageStatus> => document(controllerOutput(program('lab-image', 'status')), imageStatus);

export const isUp = ({ state, listening }: MadeHost): boolean => state === 'running' && listening;

/** How a host of the lab differs from what the inventory wants. */
export function hostChanges(wanted: WantedHost, neighbours: string, { hosts }: LabStatus): readonly Change[] {
  const made = hosts.find(({ name }) => name === wanted.name);
  const at = place(wanted);
  if (made === undefined) return [change('host', { kind: 'absent' }, `running at ${at}`)];
  const running = made.state !== 'stopped';
  const restart = running ? { disrupts: true as const } : {};
  return [
    ...(place(made) === at ? [] : [change('address', place(made), at, restart)]),
    ...(isUp(made) ? [] : [change('state', running && !made.listening ? `${made.state}, not answering` : made.state, 'running', restart)]),
    ...(made.neighbours === neighbours ? [] : [change('/etc/hosts', made.neighbours, neighbours)]),
  ];
}

export const place = ({ address, port }: { readonly address: string; readonly port: number }): string => `${address}:${port.toString()}`;

/** Elasticsearch wants 65535; where a machine grants less, nobody inside it can get more. */
export const openFilesNote = (openFiles: number): string | undefined =>
  openFiles >= 65535
    ? undefined
    : `this machine grants no process more than ${openFiles.toString()} open files (no CAP_SYS_RESOURCE), so neither do hosts of the lab`;
