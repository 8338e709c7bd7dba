/** Several requests in one, as gcloud sends them for several resources: parts of the type application/http, each with an id of its own. */
import { randomUUID } from 'node:crypto';
import { STATUS_CODES } from 'node:http';
import type { Response } from './api.mts';

export interface Part {
  readonly id: string;
  readonly method: string;
  /** With the query. */
  readonly url: string;
  readonly body: string;
}

/** The requests in a body of the type multipart/mixed. */
export function parts(contentType: string, body: string): Part[] {
  const [, boundary = ''] = /boundary="?([^";]+)"?/.exec(contentType) ?? [];
  return body
    .split(`--${boundary}`)
    .slice(1, -1)
    .map((part) => {
      const [headers = '', request = '', ...rest] = part.trim().split(/\r?\n\r?\n/);
      const [, id = ''] = /^content-id: <([^>]*)>/im.exec(headers) ?? [];
      const [method = '', url = ''] = request.split(/\s+/);
      return { id, method, url, body: rest.join('\n\n').trim() };
    });
}

/** The answers to them, as one body and its type. A request that got none is answered as one that the server gave up on. */
export function joined(answers: readonly { readonly id: string; readonly response: Response }[]): { readonly contentType: string; readonly body: string } {
  const boundary = `batch_${randomUUID()}`;
  const written = answers.map(({ id, response }) => {
    const { status, body } = response ?? { status: 503, body: {} };
    const head = `HTTP/1.1 ${String(status)} ${STATUS_CODES[status] ?? ''}\r\nContent-Type: application/json; charset=UTF-8`;
    return `--${boundary}\r\nContent-Type: application/http\r\nContent-ID: <response-${id}>\r\n\r\n${head}\r\n\r\n${JSON.stringify(body)}\r\n`;
  });
  return { contentType: `multipart/mixed; boundary=${boundary}`, body: `${written.join('')}--${boundary}--\r\n` };
}
