/** Property tests try the same cases everywhere, so that a red run can be run again; `FC_SEED=random npm test` looks for new ones. */
import fc from 'fast-check';

const chosen = process.env['FC_SEED'] ?? '20261122';
if (chosen !== 'random') fc.configureGlobal({ seed: Number(chosen) });
