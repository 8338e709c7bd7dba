import type { Answer, Change, Resource, Steps } from '../plan/model.mts';
import { http, known, parseJson, refine, unavailable } from '../plan/questions.mts';
import { excerpt } from '../secret.mts';
import { sh } from '../shell/quote.mts';
import { runScript } from '../shell/steps.mts';
import { absentShown, change, resource, shown, type Common } from './resource.mts';

export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

export interface HttpObjectOptions extends Common {
  /** Where it is written. */
  readonly url: string;
  readonly want: Json;
  /** Where it is read; `url` unless said. */
  readonly read?: string;
  /** The part of the response that is compared. */
  readonly select?: (response: unknown) => unknown;
  /** PUT unless said. */
  readonly method?: 'PUT' | 'POST';
  /** Sent with every request, such as `kbn-xsrf`. */
  readonly headers?: Readonly<Record<string, string>>;
  /** What is sent, where that is not `want` itself. */
  readonly send?: Json;
  /** Instead of `subset`: where the server rewrites what it is given. */
  readonly compare?: (have: unknown, want: Json) => readonly Difference[];
}

/** `have` is `undefined` where there is nothing. */
export interface Difference {
  readonly path: string;
  readonly have: unknown;
  readonly want: unknown;
}

/** Every wanted key is there and means the same: servers give numbers and booleans back as strings, and add keys of their own. */
export function subset(have: unknown, want: unknown, path = ''): readonly Difference[] {
  if (Array.isArray(want)) {
    const same = Array.isArray(have) && have.length === want.length && want.every((item, index) => subset(have[index], item).length === 0);
    return same ? [] : [{ path, have, want }];
  }
  if (typeof want === 'object' && want !== null) {
    if (typeof have !== 'object' || have === null || Array.isArray(have)) return [{ path, have, want }];
    const entries = new Map(Object.entries(have));
    return Object.entries(want).flatMap(([key, value]) => subset(entries.get(key), value, path === '' ? key : `${path}.${key}`));
  }
  const scalar = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value));
  return have !== undefined && scalar(have) === scalar(want) ? [] : [{ path, have, want }];
}

/** JSON behind an address, asked and written from the host. */
export function httpObject(id: string, options: HttpObjectOptions): Resource {
  const readUrl = options.read ?? options.url;
  const headers = options.headers ?? {};
  const compare = options.compare ?? subset;
  const text = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value, null, 2));
  const differences = (body: string): Answer<readonly Change[]> => {
    const json = parseJson(body);
    if (json.kind === 'unavailable') return unavailable(`${readUrl}: ${json.reason}`);
    const have = options.select === undefined ? json.value : options.select(json.value);
    if (have === undefined || have === null) return known([change('object', absentShown, text(options.want))]);
    return known(
      compare(have, options.want).map((each) =>
        change(each.path === '' ? 'object' : each.path, each.have === undefined ? absentShown : shown(text(each.have)), text(each.want)),
      ),
    );
  };
  return resource(id, options, {
    wanted: [options.url, options.want],
    differs: refine(http({ url: readUrl, headers }), (answer) => {
      if (answer.kind === 'refused') return unavailable(`${readUrl}: ${answer.reason}`);
      if (answer.status === 404) return known([change('object', absentShown, text(options.want))]);
      if (answer.status < 200 || answer.status > 299) return unavailable(`${readUrl} answered ${answer.status.toString()}: ${excerpt(answer.body, 200)}`);
      return differences(answer.body);
    }),
    apply(_changes, steps) {
      sendJson(steps, { url: options.url, method: options.method ?? 'PUT', body: options.send ?? options.want, headers });
    },
  });
}

export interface JsonRequest {
  readonly url: string;
  readonly method: 'PUT' | 'POST';
  readonly body: Json;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Sends JSON from the host; every answer but a 2xx fails the step, with its words. */
export function sendJson(steps: Steps, { url, method, body, headers = {} }: JsonRequest): void {
  const all = Object.entries({ 'content-type': 'application/json', ...headers });
  runScript(
    steps,
    sh`url=${url}
answer=$(printf '%s' ${JSON.stringify(body)} | curl -q --silent --show-error --globoff --noproxy '*' --max-time 60 --request ${method}` +
      all.map(([name, value]) => sh` --header ${`${name}: ${value}`}`).join('') +
      sh` --data-binary @- --write-out '\n%{http_code}' -- "$url") || { say ${method} "$url failed"; exit 1; }
case \${answer##*'
'} in
  2??) ;;
  *) say ${method} "$url was answered: $(printf '%s' "$answer" | tr '\n' ' ' | cut -c 1-400)"; exit 1 ;;
esac`,
  );
}
