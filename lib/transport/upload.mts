/** Streams a file of the controller to a host, over a channel of its own so that the session stays free of bulk data. */
import { open } from 'node:fs/promises';
import { RunFailure } from '../errors.mts';
import type { CompiledStep } from '../plan/model.mts';
import { quote } from '../shell/quote.mts';
import { isTimeout, newNonce, reasonOf, startUnderBecome, whileWaiting, type Entering } from './entrance.mts';
import type { Connection, StepEnd } from './session.mts';

/** What arrives, in a file of its own, never through a link; and nothing of it unless it is the whole: it could fill the disk, or be cut. */
const receiving = (path: string, total: number, nonce: string): string => `umask 077; echo 'READY ${nonce}'
if [ -f ${path} ] || [ -h ${path} ]; then rm -f -- ${path}; fi
set -C; cat >${path}; code=$?
size=$(wc -c 2>/dev/null <${path})
if [ "$code" = 0 ] && [ "$size" -ne ${total} ]; then code=1; fi
if [ "$code" != 0 ] && [ -f ${path} ]; then rm -f -- ${path}; fi
printf 'SIZE ${nonce} %s\n' "$size"
exit "$code"`;

const CHUNK = 1024 * 1024;
/** How long the host may take to flush the last bytes. */
const TAIL_BYTES = 2000;

export type UploadStep = Extract<CompiledStep, { at: 'upload' }>;

export interface Uploaded {
  readonly end: StepEnd['end'] | { readonly kind: 'lost' };
  readonly tail: string;
  readonly bytesSent: number;
}

/** Never throws for what the host or the link does; `lost` means that nobody knows what arrived. */
export async function upload(
  connection: Connection,
  entry: Pick<Entering, 'become' | 'shell' | 'hostName' | 'loginUser'>,
  step: UploadStep,
  abort: AbortSignal,
  onProgress: (done: number, total: number) => void,
): Promise<Uploaded> {
  const nonce = newNonce();
  const signal = AbortSignal.any([abort, AbortSignal.timeout(step.deadlineMs)]);
  let bytesSent = 0;
  const ended = (end: Uploaded['end'], tail: string): Uploaded => ({ end, tail, bytesSent });
  const file = await open(step.localPath).catch((error: unknown) => String(error));
  if (typeof file === 'string') return ended({ kind: 'exited', code: 1 }, `cannot read ${step.localPath} on the controller: ${file}`);
  await using _file = file;
  const total = (await file.stat()).size;
  const path = quote(step.remotePath);
  let output = '';
  try {
    const script = receiving(path, total, nonce);
    const wire = await startUnderBecome(connection, { ...entry, signal, deadlineMs: step.deadlineMs }, nonce, script, (bytes) => {
      output += Buffer.from(bytes).toString('utf8');
      const ready = output.includes(`READY ${nonce}\n`);
      return { proven: ready, done: ready };
    });
    try {
      wire.onOutput = (bytes): void => void (output = (output + Buffer.from(bytes).toString('utf8')).slice(-TAIL_BYTES));
      const buffer = Buffer.alloc(CHUNK);
      for (;;) {
        signal.throwIfAborted();
        const { bytesRead } = await file.read(buffer, 0, CHUNK);
        if (bytesRead === 0 || wire.hasEnded()) break;
        wire.write(Buffer.from(buffer.subarray(0, bytesRead)));
        bytesSent += bytesRead;
        await whileWaiting(Promise.race([wire.drained(), wire.closed]), signal, () => undefined);
        onProgress(bytesSent, total);
      }
      wire.finish();
      const end = await whileWaiting(wire.closed, signal, () => undefined);
      if (end.code === undefined && end.signal === undefined) return ended({ kind: 'lost' }, wire.noise);
      if (end.signal !== undefined) return ended({ kind: 'signalled', signal: end.signal }, wire.noise);
      const arrived = new RegExp(`SIZE ${nonce} +(\\d+)`).exec(output)?.[1];
      if (end.code === 0 && arrived === String(total)) return ended({ kind: 'exited', code: 0 }, '');
      return ended(
        { kind: 'exited', code: end.code === 0 || end.code === undefined ? 1 : end.code },
        wire.noise === '' ? `${arrived ?? '0'} of ${total} bytes arrived` : wire.noise,
      );
    } finally {
      if (!wire.hasEnded()) wire.destroy();
    }
  } catch (error) {
    if (abort.aborted) return ended({ kind: 'aborted' }, '');
    if (isTimeout(error) || (signal.aborted && isTimeout(reasonOf(signal)))) return ended({ kind: 'timeout' }, `${bytesSent} of ${total} bytes were sent`);
    if (error instanceof RunFailure) return ended({ kind: error.error.kind === 'unreachable' ? 'lost' : 'exited', code: 1 }, error.error.message);
    throw error;
  }
}
