/** Builders of questions and the types of their answers. A question is asked with others of its kind; see lib/shell/probe.mts. */
import type { z } from 'zod';
import { excerpt } from '../secret.mts';
import { httpKey, readHttpRaw, type HttpAnswer, type HttpRequest } from './http.mts';
import type { Answer, Ask, HostAskKind, Question, Raw } from './model.mts';

export type { HttpAnswer, HttpRequest };

// ---- putting questions together ----------------------------------------------------------------------------------

export const known = <T,>(value: T): Answer<T> => ({ kind: 'known', value });
export const unavailable = (reason: string): { readonly kind: 'unavailable'; readonly reason: string } => ({ kind: 'unavailable', reason });

/** A question from what it asks and how the answers are read; `read` must be pure. */
export function question<T>(asks: readonly Ask[], read: (answers: (ask: Ask) => Raw) => Answer<T>): Question<T> {
  return { asks, read, map: (change) => refine(question(asks, read), (value) => known(change(value))) };
}

/** Asks nothing. */
export const constant = <T,>(value: T): Question<T> => question([], () => known(value));

/** Reads the answer further; `judge` may find that it says nothing. */
export function refine<T, U>(of: Question<T>, judge: (value: T) => Answer<U>): Question<U> {
  return question(of.asks, (answers) => {
    const answer = of.read(answers);
    return answer.kind === 'known' ? judge(answer.value) : answer;
  });
}

type Answered<Q> = { readonly [K in keyof Q]: Q[K] extends Question<infer T> ? T : never };

/** All or nothing: unavailable when one of them is, with the first one's reason. */
export function all<Q extends Readonly<Record<string, Question<unknown>>>>(questions: Q): Question<Answered<Q>> {
  const entries = Object.entries(questions);
  return allOf(entries.map(([, each]) => each)).map((values) => Object.fromEntries(entries.map(([name], index) => [name, values[index]])) as Answered<Q>);
}

export function allOf<T>(questions: readonly Question<T>[]): Question<readonly T[]> {
  return question(
    questions.flatMap((each) => each.asks),
    (answers) => {
      const values: T[] = [];
      for (const each of questions) {
        const answer = each.read(answers);
        if (answer.kind === 'unavailable') return answer;
        values.push(answer.value);
      }
      return known(values);
    },
  );
}

/** The same question; what could not be answered is a value too. */
export const attempt = <T,>(of: Question<T>): Question<Answer<T>> => question(of.asks, (answers) => known(of.read(answers)));

/** The same question, asked in a session opened after the last change. */
export function fresh<T>(of: Question<T>): Question<T> {
  const renewed = new Map(of.asks.map((ask): [Ask, Ask] => [ask, ask.at === 'host' ? { ...ask, fresh: true } : ask]));
  return question([...renewed.values()], (answers) => of.read((ask) => answers(renewed.get(ask) ?? ask)));
}

// ---- one ask -----------------------------------------------------------------------------------------------------

/** What `read` makes of the bytes; absence is `undefined` unless `absent` says otherwise. */
function hostQuestion<T>(kind: HostAskKind, key: string, read: (bytes: Uint8Array) => Answer<T>): Question<T | undefined> {
  const ask: Ask = { at: 'host', kind, key };
  return question<T | undefined>([ask], (answers) => {
    const raw = answers(ask);
    if (raw.kind === 'unavailable') return unavailable(raw.reason);
    return raw.kind === 'absent' ? known(undefined) : read(raw.bytes);
  });
}

/** Where absence is no answer. */
const present = <T,>(of: Question<T | undefined>, what: string): Question<T> =>
  refine(of, (value) => (value === undefined ? unavailable(`${what} is absent`) : known(value)));

const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const lenient = (bytes: Uint8Array): string => Buffer.from(bytes).toString('utf8');

function utf8(bytes: Uint8Array): Answer<string> {
  try {
    return known(strict.decode(bytes));
  } catch {
    return unavailable('not UTF-8 text');
  }
}

const CONTROL = /[\u0000-\u001f\u007f]/;

/** An absolute path without control characters: paths travel as lines. */
export function checkedPath(path: string): string {
  if (!path.startsWith('/') || CONTROL.test(path)) throw new TypeError(`${JSON.stringify(path)} is no absolute path`);
  return path;
}
function named(what: string, pattern: RegExp, name: string): string {
  if (!pattern.test(name)) throw new TypeError(`${JSON.stringify(name)} is no ${what}`);
  return name;
}

// ---- files -------------------------------------------------------------------------------------------------------

export type StatAnswer =
  | { readonly kind: 'absent' }
  | {
      readonly kind: 'there';
      readonly type: 'file' | 'directory' | 'link' | 'other';
      /** Permission bits with setuid, setgid and sticky. */
      readonly mode: number;
      /** Names; the number where the host has no name for it. */
      readonly owner: string;
      readonly group: string;
      readonly uid: number;
      readonly gid: number;
      readonly size: number;
      /** What a link says, unresolved. */
      readonly target?: string;
    };

const TYPES: Readonly<Record<number, 'file' | 'directory' | 'link'>> = { 0o100000: 'file', 0o040000: 'directory', 0o120000: 'link' };

/** What is at a path, symbolic links not followed. */
export function stat(path: string): Question<StatAnswer> {
  return refine(
    hostQuestion('stat', checkedPath(path), (bytes) => known(Buffer.from(bytes).toString('latin1'))),
    (line) => {
      if (line === undefined) return known<StatAnswer>({ kind: 'absent' });
      const [, raw, size, uid, gid, owner, group, name] = /^([0-9a-f]+):(\d+):(\d+):(\d+):([^:]*):([^:]*):(.*)$/s.exec(line) ?? [];
      if (raw === undefined || uid === undefined || gid === undefined || name === undefined) return unavailable(`stat printed ${JSON.stringify(line)}`);
      const bits = Number.parseInt(raw, 16);
      const type = TYPES[bits & 0o170000] ?? 'other';
      return known<StatAnswer>({
        kind: 'there',
        type,
        mode: bits & 0o7777,
        owner: owner === undefined || owner === 'UNKNOWN' ? uid : owner,
        group: group === undefined || group === 'UNKNOWN' ? gid : group,
        uid: Number(uid),
        gid: Number(gid),
        size: Number(size),
        ...(type === 'link' ? { target: linkTarget(name, path) } : {}),
      });
    },
  );
}

const UNQUOTED: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r', a: '\x07', b: '\b', v: '\v', f: '\f' };

/** The target in `"name" -> "target"`, with C escapes undone; busybox has apostrophes and no escapes. */
function linkTarget(shown: string, path: string): string {
  const quoted = / -> "((?:[^"\\]|\\.)*)"$/s.exec(shown)?.[1];
  const target =
    quoted === undefined
      ? shown.slice(Buffer.byteLength(path) + `'' -> '`.length, -1)
      : quoted.replaceAll(/\\([0-7]{3}|.)/gs, (_, code: string) =>
          code.length === 3 ? String.fromCharCode(Number.parseInt(code, 8)) : (UNQUOTED[code] ?? code),
        );
  return Buffer.from(target, 'latin1').toString('utf8');
}

/** Digest of a file in hexadecimal, links followed; `undefined` when absent. */
export const sha256 = (path: string): Question<string | undefined> => hostQuestion('sha256', checkedPath(path), (bytes) => known(lenient(bytes)));

/** Content of a file of at most 256 KiB of UTF-8, links followed; `undefined` when absent. */
export const text = (path: string): Question<string | undefined> => hostQuestion('text', checkedPath(path), utf8);

// ---- the system --------------------------------------------------------------------------------------------------

/** A kernel setting such as `vm.max_map_count`, inner white space as one blank; `undefined` when this kernel has none of that name. */
export const sysctlValue = (key: string): Question<string | undefined> =>
  hostQuestion('sysctl', named('sysctl key', /^[A-Za-z0-9_-]+([./][A-Za-z0-9_:-]+)+$/, key), (bytes) => known(lenient(bytes).trim().replaceAll(/\s+/g, ' ')));

/** Properties as `systemctl show` names them; a unit that does not exist has `loadState` `not-found`. */
export interface UnitState {
  readonly loadState: string;
  readonly activeState: string;
  readonly subState: string;
  /** Empty for a unit without a file. */
  readonly unitFileState: string;
  /** 0 when nothing runs. */
  readonly mainPid: number;
  /** Empty before the first start. */
  readonly invocationId: string;
  readonly nRestarts: number;
  readonly needDaemonReload: boolean;
  readonly result: string;
  readonly execMainStatus: number;
}

export function unitState(unit: string): Question<UnitState> {
  const name = named('systemd unit', /^[A-Za-z0-9:_.\\-]+(@[A-Za-z0-9:_.\\-]+)?\.(service|timer|socket|target|mount|path|slice|scope)$/, unit);
  const asked = hostQuestion('unit', name, (bytes) => {
    const properties = new Map(
      lenient(bytes)
        .split('\n')
        .map((line): [string, string] => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
    );
    const property = (key: string): string => properties.get(key) ?? '';
    return known<UnitState>({
      loadState: property('LoadState'),
      activeState: property('ActiveState'),
      subState: property('SubState'),
      unitFileState: property('UnitFileState'),
      mainPid: Number(property('MainPID')),
      invocationId: property('InvocationID'),
      nRestarts: Number(property('NRestarts')),
      needDaemonReload: property('NeedDaemonReload') === 'yes',
      result: property('Result'),
      execMainStatus: Number(property('ExecMainStatus')),
    });
  });
  return present(asked, unit);
}

export interface PasswdEntry {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
  readonly home: string;
  readonly shell: string;
}
export interface GroupEntry {
  readonly name: string;
  readonly gid: number;
  readonly members: readonly string[];
}

const ACCOUNT = /^[A-Za-z_][A-Za-z0-9_.-]{0,31}\$?$/;

/** A user account; `undefined` when there is none. */
export const passwd = (user: string): Question<PasswdEntry | undefined> =>
  hostQuestion('passwd', named('user name', ACCOUNT, user), (bytes) => {
    const [name = '', , uid, gid, , home = '', shell = ''] = lenient(bytes).split(':');
    return known({ name, uid: Number(uid), gid: Number(gid), home, shell });
  });

export const groupEntry = (group: string): Question<GroupEntry | undefined> =>
  hostQuestion('group', named('group name', ACCOUNT, group), (bytes) => {
    const [name = '', , gid, members = ''] = lenient(bytes).split(':');
    return known({ name, gid: Number(gid), members: members.split(',').filter((member) => member !== '') });
  });

/** Version of an installed package (dpkg, or rpm where there is no dpkg); `undefined` when it is not fully installed. */
export const packageVersion = (name: string): Question<string | undefined> =>
  hostQuestion('package', named('package name', /^[A-Za-z0-9][A-Za-z0-9+._-]*$/, name), (bytes) => known(lenient(bytes)));

export interface ListeningSocket {
  /** `0.0.0.0`, `::` or `*` for a wildcard. */
  readonly address: string;
  readonly port: number;
  /** Only seen by root. */
  readonly process?: string;
  readonly pid?: number;
}

/** All TCP listeners of the host. */
export function listeningSockets(): Question<readonly ListeningSocket[]> {
  const asked = hostQuestion('listeners', 'tcp', (bytes) =>
    known(
      lenient(bytes)
        .split('\n')
        .flatMap((line): ListeningSocket[] => {
          const [, address, port, users] = /^LISTEN\s+\d+\s+\d+\s+(\S+):(\d+)\s+\S+(.*)$/.exec(line) ?? [];
          if (address === undefined || port === undefined) return [];
          const [, process, pid] = /users:\(\("(.*?)",pid=(\d+),fd=\d+\)/.exec(users ?? '') ?? [];
          const owner = process === undefined || pid === undefined ? {} : { process, pid: Number(pid) };
          return [{ address: address.replace(/^\[(.*)\]$/, '$1').replace(/%.*$/, ''), port: Number(port), ...owner }];
        }),
    ),
  );
  return present(asked, 'the list of listeners');
}

// ---- http --------------------------------------------------------------------------------------------------------

/** One request from the host itself, never through a proxy; `refused` covers everything that gave no complete response. */
export const http = (request: HttpRequest): Question<HttpAnswer> =>
  present(
    hostQuestion('http', httpKey(request), (bytes) => known(readHttpRaw(bytes))),
    request.url,
  );

/** The JSON body of a 2xx response, checked; anything else is unavailable with what came instead. */
export function httpJson<S extends z.ZodType>(request: string | HttpRequest, schema: S): Question<z.output<S>> {
  const full = typeof request === 'string' ? { url: request } : request;
  return refine(http(full), (answer) => {
    if (answer.kind === 'refused') return unavailable(`${full.url}: ${answer.reason}`);
    if (answer.status < 200 || answer.status > 299) return unavailable(`${full.url} answered ${answer.status.toString()}: ${excerpt(answer.body, 200)}`);
    const json = parseJson(answer.body);
    if (json.kind === 'unavailable') return unavailable(`${full.url}: ${json.reason}`);
    const checked = schema.safeParse(json.value);
    return checked.success
      ? known(checked.data)
      : unavailable(`${full.url}: ${checked.error.issues[0]?.path.join('.') ?? ''} ${checked.error.issues[0]?.message ?? ''}`);
  });
}

export function parseJson(body: string): Answer<unknown> {
  try {
    return known(JSON.parse(body) as unknown);
  } catch {
    return unavailable(`not JSON: ${excerpt(body, 100)}`);
  }
}

// ---- escape hatches ----------------------------------------------------------------------------------------------

export interface ShellOutput {
  readonly code: number;
  /** stdout and stderr as they came. */
  readonly output: string;
}

/** A snippet of POSIX sh that only reads; compose it with `quote` from lib/shell/quote.mts. Runs without stdin. */
export function shellOutput(script: string): Question<ShellOutput> {
  const asked = hostQuestion('shell', script, (bytes) => {
    const printed = lenient(bytes);
    const end = printed.indexOf('\n');
    return known({ code: Number(printed.slice(0, end)), output: printed.slice(end + 1) });
  });
  return present(asked, 'the output');
}

export interface ControllerOutput {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A read-only command on the controller; the raw answer is JSON of `ControllerOutput`. */
export function controllerOutput(argv: readonly [string, ...string[]], more: { readonly mayBeOff?: true } = {}): Question<ControllerOutput> {
  const ask: Ask = { at: 'controller', argv, ...more };
  return question([ask], (answers) => {
    const raw = answers(ask);
    if (raw.kind === 'value') return known(JSON.parse(lenient(raw.bytes)) as ControllerOutput);
    return unavailable(raw.kind === 'absent' ? `${argv[0]} is not installed` : raw.reason);
  });
}
