/** How HTTP questions become curl's configuration. */
import { HTTP_LIMIT, readHttpKey } from '../plan/http.mts';

const ESCAPES: Readonly<Record<string, string>> = { '\\': '\\\\', '"': '\\"', '\n': '\\n', '\r': '\\r', '\t': '\\t', '\v': '\\v' };
const word = (text: string): string => `"${text.replaceAll(/[\\"\n\r\t\v]/g, (letter) => ESCAPES[letter] ?? letter)}"`;
const seconds = (ms: number): string => (Math.max(ms, 1) / 1000).toFixed(3);

/** curl's own configuration language: one transfer after the other over kept connections, each body followed by a line with the nonce. */
export function httpConfig(keys: readonly string[], nonce: string): string {
  return keys
    .map((key) => {
      const [url, method, body, timeoutMs, headers] = readHttpKey(key);
      const lines = [
        'silent',
        'show-error',
        'globoff',
        'noproxy = "*"',
        `connect-timeout = ${seconds(Math.min(timeoutMs, 2000))}`,
        `max-time = ${seconds(timeoutMs)}`,
        // One that says its length is not sent at all: it would end the session, and everything else with it.
        `max-filesize = ${HTTP_LIMIT.toString()}`,
        method === 'HEAD' ? 'head' : `request = ${method}`,
        ...(body === null || 'content-type' in headers ? [] : ['header = "content-type: application/json"']),
        ...Object.entries(headers).map(([name, value]) => `header = ${word(`${name}: ${value}`)}`),
        // A body that starts with @ would be read from a file: --data-raw sends it as it is, --data-binary keeps line ends.
        ...(body === null ? [] : [`data-raw = ${word(body)}`]),
        `url = ${word(url)}`,
        `write-out = "\\n${nonce} http %{http_code} %{exitcode}\\n"`,
      ];
      return `${lines.join('\n')}\n`;
    })
    .join('next\n');
}
