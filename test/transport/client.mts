/** A run to be killed: opens a session on the given connection, starts a step or a question that never ends, and says so where the host does. */
import { openTransport, type TransportOptions } from '../../lib/transport/index.mts';
import type { Connection } from '../../lib/inventory/model.mts';
import { holder, limits, makeHost, opening, shell, step } from './support.mts';

const [connection = '', lockFile = '', script = '', life, what = 'step'] = process.argv.slice(2);
const never = `sh -c '${script.replaceAll("'", `'\\''`)}'`;
const host = makeHost(JSON.parse(connection) as Connection);
await using transport = openTransport({ lockFile, ...(life === undefined ? {} : { life: JSON.parse(life) as NonNullable<TransportOptions['life']> }) });
await using session = await transport.write(host, { ...opening, asks: what === 'first question' ? [shell(never)] : [], holder: holder() });
const frame = await session.apply(
  [what === 'step' ? step(`progress 1; ${never}`, { deadlineMs: 60_000 }) : step('true')],
  what === 'step' ? [] : [shell(never)],
  limits({ deadlineMs: 60_000, onProgress: () => setTimeout(() => process.stdout.write('running\n'), 200) }),
);
process.stdout.write(frame.kind === 'complete' ? 'complete\n' : `${frame.error.message}\n`);
