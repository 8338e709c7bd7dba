/** A proxy command: carries stdin and stdout to a port, as `nc` does. Further arguments only tell one process from another. */
import net from 'node:net';

const [address = '', port = ''] = process.argv.slice(2);
const socket = net.connect(Number(port), address);
socket.on('error', (error) => {
  process.stderr.write(`relay: ${error.message}\n`);
  process.exit(1);
});
process.stdin.pipe(socket).pipe(process.stdout);
socket.on('close', () => process.exit(0));
