/** Tries ADDRESS:PORT from this machine, all at once, and prints how each answered, with this machine's own addresses: as JSON. */
import { connect } from 'node:net';
import { networkInterfaces } from 'node:os';

/** `refused` came through to the host, or was answered by somebody on the way; `silent` is what a firewall of Google does. */
type Answer = 'open' | 'refused' | 'silent' | 'unreachable';

const PATIENCE_MS = 2500;

const attempt = (place: string): Promise<readonly [string, Answer]> =>
  new Promise((resolve) => {
    const [host = '', port] = place.split(':');
    const socket = connect({ host, port: Number(port) });
    const end = (answer: Answer): void => {
      socket.destroy();
      resolve([place, answer]);
    };
    socket.setTimeout(PATIENCE_MS);
    socket.on('connect', () => {
      end('open');
    });
    socket.on('timeout', () => {
      end('silent');
    });
    socket.on('error', ({ code }: NodeJS.ErrnoException) => {
      end(code === 'ECONNREFUSED' || code === 'ECONNRESET' ? 'refused' : code === 'ETIMEDOUT' ? 'silent' : 'unreachable');
    });
  });

const answers = Object.fromEntries(await Promise.all(process.argv.slice(2).map(attempt)));
const own = Object.values(networkInterfaces()).flatMap((some = []) => some.map(({ address }) => address));
process.stdout.write(`${JSON.stringify({ own, answers })}\n`);
