/** Google's Compute API, played by a process of our own, for the real gcloud: `await using double = await startDouble()`. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

export interface DoubleOptions {
  /** How long an operation takes from its acceptance to DONE; 60 ms unless told. */
  readonly operationMs?: number;
  /** Whether a new project has the network `default` with its subnetworks and rules; yes unless told. */
  readonly defaultNetwork?: boolean;
  /** Services that are on in a new project; `compute.googleapis.com` unless told. */
  readonly services?: readonly string[];
  /** The most items on one page of a list. */
  readonly pageSize?: number;
}

export interface Double extends AsyncDisposable {
  readonly url: string;
  /** What to add to a program's environment so that the gcloud it starts talks to the double, and has a configuration of its own. */
  readonly environment: Readonly<Record<string, string>>;
  close(): Promise<void>;
}

export async function startDouble(options: DoubleOptions = {}): Promise<Double> {
  const config = mkdtempSync(join(tmpdir(), 'gcloud-'));
  const child = spawn(process.execPath, [join(import.meta.dirname, 'double/main.mts'), JSON.stringify(options)], { stdio: ['pipe', 'pipe', 'inherit'] });
  const exited = once(child, 'exit');
  const lines = createInterface(child.stdout);
  const port = await Promise.race([
    once(lines, 'line').then(([line]) => (JSON.parse(String(line)) as { listening: number }).listening),
    exited.then(([code]) => Promise.reject(new Error(`The double ended at once with ${String(code)}.`))),
  ]);
  const url = `http://127.0.0.1:${String(port)}`;
  const close = async () => {
    child.stdin.end();
    await exited;
    rmSync(config, { recursive: true, force: true });
  };
  return {
    url,
    environment: {
      CLOUDSDK_CONFIG: config,
      CLOUDSDK_API_ENDPOINT_OVERRIDES_COMPUTE: `${url}/compute/v1/`,
      CLOUDSDK_AUTH_DISABLE_CREDENTIALS: 'true',
      CLOUDSDK_CORE_DISABLE_PROMPTS: '1',
      CLOUDSDK_CORE_DISABLE_USAGE_REPORTING: 'true',
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}
