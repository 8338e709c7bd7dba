/** A run to be killed: opens a session on the given connection, starts a step that never ends, and says so. */
import { openTransport } from '../../lib/transport/index.mts';
import type { Connection } from '../../lib/inventory/model.mts';
import { holder, limits, makeHost, opening, step } from './support.mts';

const [connection = '', lockFile = '', script = ''] = process.argv.slice(2);
await using transport = openTransport({ lockFile });
await using session = await transport.write(makeHost(JSON.parse(connection) as Connection), { ...opening, holder: holder() });
const never = `progress 1; sh -c '${script.replaceAll("'", `'\\''`)}'`;
await session.apply(
  [step(never, { deadlineMs: 60_000 })],
  [],
  limits({ deadlineMs: 60_000, onProgress: () => setTimeout(() => process.stdout.write('running\n'), 200) }),
);
