/** A run to be killed: opens a session on the given connection, starts a step that never ends, and says so. */
import { openTransport, type TransportOptions } from '../../lib/transport/index.mts';
import type { Connection } from '../../lib/inventory/model.mts';
import { holder, limits, makeHost, opening, step } from './support.mts';

const [connection = '', lockFile = '', script = '', life] = process.argv.slice(2);
await using transport = openTransport({ lockFile, ...(life === undefined ? {} : { life: JSON.parse(life) as NonNullable<TransportOptions['life']> }) });
await using session = await transport.write(makeHost(JSON.parse(connection) as Connection), { ...opening, holder: holder() });
const never = `progress 1; sh -c '${script.replaceAll("'", `'\\''`)}'`;
const frame = await session.apply(
  [step(never, { deadlineMs: 60_000 })],
  [],
  limits({ deadlineMs: 60_000, onProgress: () => setTimeout(() => process.stdout.write('running\n'), 200) }),
);
process.stdout.write(frame.kind === 'complete' ? 'complete\n' : `${frame.error.message}\n`);
